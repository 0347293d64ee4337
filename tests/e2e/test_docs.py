"""The procedures on the pages, carried out with the real engine and API server."""

import json
import subprocess
from functools import cache
from typing import Any

import pytest
import yaml

from tests.docs.pages import BLOCKS, PROJECT, commands
from tests.e2e.project import Project


def page(name: str, language: str) -> list[str]:
    """The blocks of a page in a language."""
    return [block.text for block in BLOCKS if (block.page, block.language) == (name, language)]


def test_the_site_builds_and_its_links_are_valid() -> None:
    done = subprocess.run(["make", "docs"], cwd=PROJECT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (PROJECT / ".site" / "how-to" / "rollback.html").exists()


@pytest.mark.parametrize("program", ["pulumi", "kubectl"])
def test_commands_and_their_flags_exist(program: str, project: Project) -> None:
    @cache
    def help_of(*words: str) -> str:
        done = project.run(program, *words)
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout

    shown = [command for block in BLOCKS if block.language == "sh" for command in commands(block)]
    for first, *words in shown:
        if first == program:
            subcommands = 2 if words[0] in {"config", "package", "set"} or words[:2] in _OF_TWO else 1
            text = help_of(*words[:subcommands], "--help")
            for flag in (word.split("=")[0] for word in words if word.startswith("--")):
                options = help_of("options") if program == "kubectl" else ""
                assert flag in text or flag in options, f"{program} {' '.join(words)}: {flag}"


_OF_TWO = (["stack", "init"], ["stack", "output"], ["stack", "history"])


@pytest.fixture(scope="module")
def by_hand(project: Project) -> dict[str, str]:
    """The UIDs of the hand-written objects on the page, in a namespace with a label that is not the platform's."""
    assert project.run("kubectl", "create", "namespace", "ml-serving").returncode == 0
    assert project.run("kubectl", "label", "namespace", "ml-serving", "made-by=hand").returncode == 0
    (project.folder / "by-hand.yaml").write_text(page("how-to/from-yaml-or-helm.md", "yaml")[0], encoding="utf-8")
    done = project.run("kubectl", "apply", "--namespace", "ml-serving", "-f", "by-hand.yaml")
    assert done.returncode == 0, done.stderr
    return uids(project)


_OBJECTS = {"deployment": "model-serving", "service": "model-api", "resourcequota": "ml-serving-quota"}


def uids(project: Project) -> dict[str, str]:
    return {kind: project.get(kind, name, "ml-serving")["metadata"]["uid"] for kind, name in _OBJECTS.items()}


def stack_file(project: Project, *, adopt: bool = True, **quota: str) -> None:
    """Write the stack on the page, with ``adopt`` and other quotas."""
    stack = yaml.safe_load(page("how-to/from-yaml-or-helm.md", "yaml")[1])
    team = stack["config"]["ml-platform:teams"]["ml-serving"]
    service = stack["config"]["ml-platform:modelServices"]["model-serving"]
    team["adopt"] = service["adopt"] = adopt
    team["quota"].update(quota)
    (project.folder / "Pulumi.moved.yaml").write_text(yaml.safe_dump(stack), encoding="utf-8")


def up(project: Project) -> subprocess.CompletedProcess[str]:
    return project.run("pulumi", "up", "--yes", "--skip-preview", "--stack", "moved")


def test_hand_written_objects_are_adopted(project: Project, by_hand: dict[str, str]) -> None:
    stack_file(project, adopt=False)
    assert project.run("pulumi", "stack", "init", "moved").returncode == 0
    preview = project.run("pulumi", "preview", "--stack", "moved")
    assert preview.returncode != 0
    (error,) = (text.strip() for text in page("how-to/existing-namespace.md", "text"))
    for line in error.replace("legacy-nlp", "ml-serving").splitlines():
        assert line.strip() in preview.stdout
    stack_file(project, pods="30")
    rejected = up(project)
    assert rejected.returncode != 0
    (conflict,) = (text.strip() for text in page("troubleshooting.md", "text") if text.startswith("Apply failed"))
    assert conflict in rejected.stdout
    stack_file(project)
    assert "ResourceQuota ml-serving/ml-serving-quota" in project.run("pulumi", "preview", "--stack", "moved").stdout
    delete = ("kubectl", "delete", "resourcequota", "ml-serving-quota", "--namespace", "ml-serving")
    assert project.run(*delete).returncode == 0
    done = up(project)
    assert done.returncode == 0, done.stdout + done.stderr
    quota = {"resourcequota": project.get("resourcequota", "ml-serving-quota", "ml-serving")["metadata"]["uid"]}
    assert uids(project) == {**by_hand, **quota}
    labels = project.get("namespace", "ml-serving")["metadata"]["labels"]
    assert (labels["made-by"], labels["team"]) == ("hand", "ml-serving")
    stack_file(project, pods="30")
    assert up(project).returncode == 0
    assert project.get("resourcequota", "ml-serving-quota", "ml-serving")["spec"]["hard"]["pods"] == "30"


def test_a_dry_run_lists_the_pods_that_violate_a_standard(project: Project, by_hand: dict[str, str]) -> None:
    bare = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "bare", "namespace": "legacy-nlp"},
        "spec": {"containers": [{"name": "c", "image": "a:b"}]},
    }
    assert project.run("kubectl", "create", "namespace", "legacy-nlp").returncode == 0
    project.run("kubectl", "wait", "--for=create", "serviceaccount/default", "--namespace", "legacy-nlp")
    assert project.apply(bare).returncode == 0
    ((_, *words),) = [
        command
        for block in BLOCKS
        if (block.page, block.language) == ("how-to/existing-namespace.md", "sh")
        for command in commands(block)
        if command[0] == "kubectl"
    ]
    done = project.run("kubectl", *words)
    assert "bare: allowPrivilegeEscalation != false" in done.stderr
    assert "pod-security.kubernetes.io/enforce" not in project.get("namespace", "legacy-nlp")["metadata"]["labels"]


def test_an_image_set_with_kubectl_is_detected_after_a_refresh(project: Project, by_hand: dict[str, str]) -> None:
    (command,) = [
        command
        for block in BLOCKS
        if (block.page, block.language) == ("how-to/rollback.md", "sh")
        for command in commands(block)
        if command[:3] == ["kubectl", "set", "image"]
    ]
    assert project.run(*(word.replace("v1.2", "v1.1") for word in command)).returncode == 0
    preview = ("pulumi", "preview", "--stack", "moved", "--json")
    assert changes(project.run(*preview).stdout) == {}
    assert project.run("pulumi", "refresh", "--yes", "--skip-preview", "--stack", "moved").returncode == 0
    assert changes(project.run(*preview).stdout) == {"update": 1}


def changes(preview: str) -> dict[str, Any]:
    return {kind: count for kind, count in json.loads(preview)["changeSummary"].items() if kind != "same"}
