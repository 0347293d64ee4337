"""The workflows that run the scripts of .ci."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ci.repository import PROJECT

WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))


def workflow(name: str) -> dict[Any, Any]:
    text = (PROJECT / ".github" / "workflows" / f"{name}.yml").read_text(encoding="utf-8")
    content: dict[Any, Any] = yaml.safe_load(text)
    return content


@pytest.mark.parametrize("path", WORKFLOWS, ids=[path.name for path in WORKFLOWS])
def test_actions_are_pinned_and_permissions_are_minimal(path: Path) -> None:
    content = workflow(path.stem)
    assert content["permissions"] == {}
    assert "secrets." not in path.read_text(encoding="utf-8")
    for job in content["jobs"].values():
        assert (content.get("concurrency") or job["concurrency"])["group"]
        assert set(job["permissions"]) <= {"contents", "id-token", "pull-requests"}
        assert job["permissions"]["contents"] == "read"
        for step in job.get("steps", []):
            action = step.get("uses", f"x@{'0' * 40}")
            assert len(action.partition("@")[2]) == 40, action
            script = step.get("run", "").split(" ")[0]
            if script.startswith(".ci/"):
                assert (PROJECT / script).stat().st_mode & 0o111


def test_main_deploys_every_stack_because_github_cancels_waiting_runs() -> None:
    content = workflow("up")
    job = content["jobs"]["up"]
    assert job["needs"] == "test"
    assert job["concurrency"] == {"group": "up-${{ matrix.stack }}", "cancel-in-progress": False}
    assert "concurrency" not in content
    assert "paths" not in content[True]["push"]  # in YAML 1.1, "on" is true


@pytest.mark.parametrize("name", ["drift", "up"])
def test_a_workflow_for_all_stacks_names_each_of_them(name: str) -> None:
    job = workflow(name)["jobs"][name]
    stacks = sorted(path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in PROJECT.glob("Pulumi.*.yaml"))
    assert job["strategy"]["matrix"]["stack"] == stacks


def test_a_run_that_fails_before_its_page_is_commented_too() -> None:
    steps = [step for job in workflow("preview")["jobs"].values() for step in job["steps"]]
    (comment,) = [step for step in steps if step.get("run", "").startswith(".ci/comment ")]
    assert comment["if"] == "${{ !cancelled() }}"


@pytest.mark.parametrize("name", ["drift", "preview", "up"])
def test_the_credentials_get_all_variables_that_they_require(name: str) -> None:
    (step,) = [
        s for job in workflow(name)["jobs"].values() for s in job.get("steps", []) if s.get("run") == ".ci/credentials"
    ]
    required = ("PULUMI_ORG", "CLUSTER_SERVER", "CLUSTER_CA", "CLUSTER_CONTEXT")
    assert step["env"] == {name: f"${{{{ vars.{name} }}}}" for name in required}
