"""The procedures on the pages, carried out with the real engine and API server."""

import json
import re
import shlex
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


_OF_TWO = (["stack", "init"], ["stack", "output"], ["stack", "history"], ["state", "delete"], ["state", "move"])


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
    (error,) = (text.strip() for text in page("how-to/adopt-existing.md", "text"))
    for line in error.replace("legacy-nlp", "ml-serving").splitlines():
        assert line.strip() in preview.stdout
    stack_file(project, pods="30")
    rejected = up(project)
    assert rejected.returncode != 0
    (conflict,) = (text.strip() for text in page("troubleshooting.md", "text") if "with 1 conflict:" in text)
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


def test_a_team_moves_to_another_stack_and_its_objects_are_untouched(project: Project) -> None:
    names = {"teams": "ml-experiments", "trainingJobs": "image-classifier"}
    prod = yaml.safe_load((PROJECT / "Pulumi.prod.yaml").read_text(encoding="utf-8"))["config"]
    entries = {section: {name: prod[f"ml-platform:{section}"][name]} for section, name in names.items()}
    pools = prod["ml-platform:nodePools"]
    project.configure("prod", nodePools=pools, **entries)
    project.stack("prod")
    assert project.run("pulumi", "up", "--stack", "prod", "--yes", "--skip-preview").returncode == 0
    before = _metadata(project, "ml-experiments")
    assert {"Namespace", "Job", "ResourceQuota", "NetworkPolicy", "Pod"} <= {kind for kind, _ in before}
    project.configure("prod", nodePools=pools)
    project.configure("research", nodePools=pools, **entries)
    (block,) = (text for text in page("how-to/rename-and-move.md", "sh") if "state move" in text)
    for line in block.splitlines():
        words = shlex.split(line)
        done = project.run(*words, *(["--yes"] if words[1] in {"up", "state"} else []))
        assert done.returncode == 0, done.stdout + done.stderr
        if words[1] == "preview":
            assert not re.search(r"to (delete|replace)", done.stdout), done.stdout
            assert not re.search(r"[2-9] to (create|update)", done.stdout), done.stdout
    assert _metadata(project, "ml-experiments") == before
    # The other stack updates and deletes what was moved to it.
    entries["teams"]["ml-experiments"]["quota"]["pods"] = "21"
    project.configure("research", nodePools=pools, **entries)
    assert project.run("pulumi", "up", "--stack", "research", "--yes", "--skip-preview").returncode == 0
    assert project.get("resourcequota", "ml-experiments-quota", "ml-experiments")["spec"]["hard"]["pods"] == "21"
    for stack in ("prod", "research"):
        assert "ml-experiments" in {item["metadata"]["name"] for item in project.get("namespaces")["items"]}
        assert project.run("pulumi", "destroy", "--stack", stack, "--yes", "--skip-preview").returncode == 0
    assert "ml-experiments" not in {item["metadata"]["name"] for item in project.get("namespaces")["items"]}
    project.restore("prod")


def _metadata(project: Project, namespace: str) -> dict[tuple[str, str], tuple[str, int | None]]:
    """The UIDs and generations of the objects in a namespace, and of the namespace."""
    kinds = "namespaces,jobs,pods,serviceaccounts,resourcequotas,limitranges,networkpolicies"
    found = ((item["kind"], item["metadata"]) for item in project.get(kinds)["items"])
    return {
        (kind, metadata["name"]): (metadata["uid"], metadata.get("generation"))
        for kind, metadata in found
        if metadata.get("namespace", metadata["name"]) == namespace
    }


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
        if (block.page, block.language) == ("how-to/adopt-existing.md", "sh")
        for command in commands(block)
        if command[:2] == ["kubectl", "label"]
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
