"""The steps of a pipeline, as plain scripts."""

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from review.render import marker
from sandbox.layout import PULUMI_VERSION

PROJECT = Path(__file__).resolve().parent.parent.parent
WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with two stacks and a commit."""
    (tmp_path / ".ci").mkdir()
    for script in ("stacks", "up"):
        copy = tmp_path / ".ci" / script
        copy.write_text((PROJECT / ".ci" / script).read_text(encoding="utf-8"), encoding="utf-8")
        copy.chmod(0o755)
    for file in ("Pulumi.yaml", "Pulumi.dev.yaml", "Pulumi.prod.yaml", "README.md"):
        (tmp_path / file).write_text("a", encoding="utf-8")
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    commit(tmp_path)
    return tmp_path


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "change")


@pytest.mark.parametrize(
    ("file", "touched"),
    [
        ("Pulumi.prod.yaml", ["prod"]),
        ("Pulumi.new.yaml", ["new"]),
        ("README.md", []),
        ("tests/test_x.py", []),
        ("components/x.py", ["dev", "prod"]),
        ("Pulumi.yaml", ["dev", "prod"]),
        ("requirements.txt", ["dev", "prod"]),
    ],
)
def test_the_stacks_that_a_change_touches(file: str, touched: list[str], repository: Path) -> None:
    base = git(repository, "rev-parse", "HEAD")
    (repository / file).parent.mkdir(exist_ok=True)
    (repository / file).write_text("b", encoding="utf-8")
    commit(repository)
    done = subprocess.run([".ci/stacks", base], cwd=repository, check=True, capture_output=True, text=True)
    assert json.loads(done.stdout) == touched


@pytest.mark.parametrize(("file", "touched"), [("Pulumi.eu.prod.yaml", ["eu.prod"]), ("components/x.py", None)])
def test_stacks_with_a_dot_in_their_names(file: str, touched: list[str] | None, repository: Path) -> None:
    (repository / "Pulumi.eu.prod.yaml").write_text("a", encoding="utf-8")
    commit(repository)
    base = git(repository, "rev-parse", "HEAD")
    (repository / file).parent.mkdir(exist_ok=True)
    (repository / file).write_text("b", encoding="utf-8")
    commit(repository)
    done = subprocess.run([".ci/stacks", base], cwd=repository, check=True, capture_output=True, text=True)
    assert json.loads(done.stdout) == (touched or ["dev", "eu.prod", "prod"])


@pytest.mark.parametrize("base", [[], [""], ["0" * 40], ["1" * 40]])
def test_without_a_base_to_compare_with_all_stacks_are_touched(base: list[str], repository: Path) -> None:
    done = subprocess.run([".ci/stacks", *base], cwd=repository, check=True, capture_output=True, text=True)
    assert json.loads(done.stdout) == ["dev", "prod"]


def test_a_stack_that_is_removed_is_not_previewed(repository: Path) -> None:
    base = git(repository, "rev-parse", "HEAD")
    (repository / "Pulumi.dev.yaml").unlink()
    commit(repository)
    done = subprocess.run([".ci/stacks", base], cwd=repository, check=True, capture_output=True, text=True)
    assert json.loads(done.stdout) == []


def test_another_commit_than_the_approved_one_is_not_brought_up(repository: Path) -> None:
    approved = git(repository, "rev-parse", "HEAD")
    (repository / "README.md").write_text("c", encoding="utf-8")
    commit(repository)
    done = subprocess.run([".ci/up", "prod", approved], cwd=repository, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"{approved} was approved" in done.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=[path.name for path in WORKFLOWS])
def test_workflows_pin_their_actions_and_hold_few_rights(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {}
    assert "secrets." not in text
    for job in workflow["jobs"].values():
        assert (workflow.get("concurrency") or job["concurrency"])["group"]
        assert set(job["permissions"]) <= {"contents", "id-token", "pull-requests"}
        assert job["permissions"]["contents"] == "read"
        for step in job.get("steps", []):
            action = step.get("uses", f"x@{'0' * 40}")
            assert len(action.partition("@")[2]) == 40, action
            script = step.get("run", "").split(" ")[0]
            if script.startswith(".ci/"):
                assert (PROJECT / script).stat().st_mode & 0o111


def test_main_brings_up_every_stack_since_a_waiting_run_is_given_up_for_a_later_one() -> None:
    workflow = yaml.safe_load((PROJECT / ".github" / "workflows" / "up.yml").read_text(encoding="utf-8"))
    job = workflow["jobs"]["up"]
    assert job["concurrency"] == {"group": "up-${{ matrix.stack }}", "cancel-in-progress": False}
    assert "concurrency" not in workflow
    assert "paths" not in workflow[True]["push"]  # YAML 1.1 takes "on" for true


def test_only_a_commit_that_passed_the_tests_is_deployed() -> None:
    workflow = yaml.safe_load((PROJECT / ".github" / "workflows" / "up.yml").read_text(encoding="utf-8"))
    assert workflow["jobs"]["up"]["needs"] == "test"
    assert workflow["jobs"]["test"]["uses"] == "./.github/workflows/test.yml"


def test_every_workflow_installs_the_sandboxs_version_of_pulumi() -> None:
    jobs = [job for path in WORKFLOWS for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values()]
    steps = [step for job in jobs for step in job.get("steps", [])]
    versions = [step["with"]["pulumi-version"] for step in steps if step.get("uses", "").startswith("pulumi/actions@")]
    assert len(versions) == 4
    assert set(versions) == {PULUMI_VERSION}


@pytest.mark.parametrize("name", ["drift", "up"])
def test_a_workflow_for_all_stacks_names_each_of_them(name: str) -> None:
    workflow = yaml.safe_load((PROJECT / ".github" / "workflows" / f"{name}.yml").read_text(encoding="utf-8"))
    job = workflow["jobs"][name]
    stacks = sorted(path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in PROJECT.glob("Pulumi.*.yaml"))
    assert job["strategy"]["matrix"]["stack"] == stacks


MARKER = marker("prod")


def commented(own: str, page: str | None, folder: Path) -> tuple[str, str]:
    """What GitHub's client is called with, and the comment; a stand-in has, or has not, a comment of the stack."""
    (folder / "gh").write_text(
        f"""#!/usr/bin/env bash
case "$*" in *--paginate*) echo "$*" >asked; echo {own} ;; *) echo "$3 $4" >called; cp "${{6#body=@}}" comment ;; esac
""",
        encoding="utf-8",
    )
    (folder / "gh").chmod(0o755)
    if page is not None:
        (folder / "page.md").write_text(page, encoding="utf-8")
    environment = {
        **os.environ,
        "PATH": f"{folder}:{os.environ['PATH']}",
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_RUN_ID": "5",
    }
    subprocess.run([str(PROJECT / ".ci" / "comment"), "3", "page.md", "prod"], cwd=folder, env=environment, check=True)
    assert f'startswith("{MARKER}")' in (folder / "asked").read_text(encoding="utf-8")
    called = (folder / "called").read_text(encoding="utf-8").strip()
    return called, (folder / "comment").read_text(encoding="utf-8")


CALLS = [("7", "PATCH repos/o/r/issues/comments/7"), ("", "POST repos/o/r/issues/3/comments")]


@pytest.mark.parametrize(("own", "call"), CALLS)
def test_a_comment_is_updated_in_place(own: str, call: str, tmp_path: Path) -> None:
    page = f"{MARKER}\n## prod\n"
    assert commented(own, page, tmp_path) == (call, page)


@pytest.mark.parametrize(("own", "call"), CALLS)
@pytest.mark.parametrize("page", ["", None])
def test_a_commit_without_a_page_does_not_keep_the_verdict_on_another(
    page: str | None, own: str, call: str, tmp_path: Path
) -> None:
    """The review could not be made, or the run did not get that far."""
    called, comment = commented(own, page, tmp_path)
    assert called == call
    assert comment.splitlines()[:2] == [MARKER, "## prod: ❌ this commit could not be reviewed"]
    assert "(https://github.example/o/r/actions/runs/5)" in comment


def test_a_run_that_fails_before_its_page_is_commented_too() -> None:
    workflow = yaml.safe_load((PROJECT / ".github" / "workflows" / "preview.yml").read_text(encoding="utf-8"))
    steps = [step for job in workflow["jobs"].values() for step in job.get("steps", [])]
    (comment,) = [step for step in steps if step.get("run", "").startswith(".ci/comment ")]
    assert comment["if"] == "${{ !cancelled() }}"
