"""The review of a change, and the diagnosis of a failed update, with the real engine."""

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from review.render import markdown, marker
from tests.e2e.project import Project
from tests.review.change import change
from tests.review.prod import given, reviewed, step


@pytest.fixture(scope="module")
def prod(project: Project) -> Project:
    """The prod stack, deployed."""
    project.stack("prod").up()
    return project


@pytest.fixture
def changed(prod: Project) -> Iterator[Project]:
    """The deployed prod stack, with a change that is not deployed."""
    prod.edit("prod", change)
    yield prod
    prod.restore("prod")


def run(project: Project, *arguments: str) -> tuple[int, str]:
    """The exit status and the output of a review."""
    done = project.run(sys.executable, "-m", "review", "--stack", "prod", *arguments)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout + done.stderr


def review(project: Project, *arguments: str) -> tuple[int, dict[str, Any]]:
    """The exit status and the content of a review."""
    status, output = run(project, "--format", "json", *arguments)
    made: dict[str, Any] = json.loads(output)
    return status, made


def test_the_page_is_that_of_the_recorded_preview(changed: Project) -> None:
    """If the operations or the live state have changed, record the preview again: see tests/review/golden.py."""
    status, page = run(changed, "--format", "markdown", "--offline")
    assert status == 0
    recorded = given()
    service = step(recorded, "model-serving-service")
    service["oldState"]["outputs"] = {"status": changed.get("service", "model-api", "ml-serving")["status"]}
    assert page == markdown(reviewed(recorded))


def test_no_change(prod: Project) -> None:
    status, made = review(prod)
    assert (status, made["verdict"]) == (0, "unchanged")


def test_changes_that_the_base_already_had_are_pending(changed: Project) -> None:
    identity = ("git", "-c", "user.name=test", "-c", "user.email=test@example.com")
    for command in (("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", "--message", "the change")):
        assert changed.run(*identity, *command).returncode == 0
    changed.edit("prod", lambda settings: settings["teams"]["data-pipeline"]["quota"].update(pods="70"))
    status, made = review(changed, "--base", "HEAD")
    assert status == 0
    assert "Deployment ml-serving/model-serving" in made["pending"]
    assert "ResourceQuota data-pipeline/data-pipeline-quota" not in made["pending"]
    assert changed.run("git", "worktree", "list").stdout.count("\n") == 1


def test_an_invalid_stack(prod: Project) -> None:
    prod.edit("prod", lambda settings: settings["modelServices"]["model-serving"].update(replicas=0))
    try:
        status, made = review(prod)
    finally:
        prod.restore("prod")
    assert (status, made["verdict"]) == (1, "blocked")
    (problem,) = made["problems"]
    assert problem["code"] == "preview-failed"
    assert "ml-platform:modelServices.model-serving.replicas: " in problem["text"]


def test_a_stack_that_does_not_exist(project: Project) -> None:
    done = project.run(sys.executable, "-m", "review", "--stack", "none")
    assert done.returncode == 2
    assert "no stack named 'none' found" in done.stderr


def explained(project: Project) -> tuple[int, list[dict[str, Any]]]:
    """The exit status and the diagnoses."""
    done = project.run(sys.executable, "-m", "review", "explain", "--stack", "prod", "--format", "json")
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def test_explain_without_failures(prod: Project) -> None:
    assert explained(prod) == (0, [])


def test_explain_queries_the_cluster_of_the_stack(prod: Project) -> None:
    set_context = ("pulumi", "config", "set", "kubernetes:context", "elsewhere", "--stack", "prod")
    assert prod.run(*set_context).returncode == 0
    try:
        done = prod.run(sys.executable, "-m", "review", "explain", "--stack", "prod")
    finally:
        prod.restore("prod")
    assert done.returncode == 2
    assert 'context "elsewhere" does not exist' in done.stderr
    assert "Traceback" not in done.stderr


def test_explain_after_a_failed_up(prod: Project) -> None:
    """A quota that was lowered with kubectl, nodes that do not exist, and a server with too little memory."""
    (pod,) = prod.get("pods", namespace="ml-training")["items"]
    killed = {
        "name": "trainer",
        "image": "x",
        "imageID": "",
        "ready": False,
        "restartCount": 1,
        "state": {"terminated": {"reason": "OOMKilled", "exitCode": 137}},
    }
    patches = [
        (
            "pod",
            pod["metadata"]["name"],
            "ml-training",
            {"status": {"containerStatuses": [killed], "conditions": [{"type": "Ready", "status": "False"}]}},
            ["--subresource=status"],
        ),
        ("resourcequota", "ml-serving-quota", "ml-serving", {"spec": {"hard": {"pods": "3"}}}, []),
    ]
    for kind, name, namespace, patch, flags in patches:
        done = prod.run("kubectl", "patch", kind, name, "-n", namespace, *flags, "-p", json.dumps(patch))
        assert done.returncode == 0, done.stderr

    def change(settings: dict[str, Any]) -> None:
        settings["modelServices"]["model-serving"].update(replicas=4, timeoutSeconds=15)
        settings["nodePools"]["none"] = {"nodeSelector": {"pool": "none"}}
        settings["trainingJobs"]["lost"] = {
            "team": "data-pipeline",
            "nodePool": "none",
            "image": "a:v1",
            "timeoutSeconds": 15,
        }

    prod.edit("prod", change)
    try:
        assert prod.run("pulumi", "up", "--stack", "prod", "--yes", "--skip-preview").returncode != 0
        status, diagnoses = explained(prod)
    finally:
        prod.restore("prod")
        quota = json.dumps({"spec": {"hard": {"pods": "20"}}})  # the twin of a later review has it, too
        assert (
            prod.run(
                "kubectl", "patch", "resourcequota", "ml-serving-quota", "-n", "ml-serving", "-p", quota
            ).returncode
            == 0
        )
    assert status == 1
    found = {(diagnosis["workload"], diagnosis["symptom"]) for diagnosis in diagnoses}
    assert found >= {
        ("Deployment ml-serving/model-serving", "quota-used-up"),
        ("Pod ml-training/pytorch-training", "container-oom-killed"),
        ("Job data-pipeline/lost", "node-labels-and-taints"),
    }


def test_a_review_with_minimal_permissions(prod: Project) -> None:
    """The committed role suffices to preview and to review, and permits no changes."""
    as_reviewer = prod.reviewer()
    prod.edit("prod", change)
    try:
        done = prod.run(*as_reviewer, ".ci/preview", "prod", "page.md")
        as_json = prod.run(*as_reviewer, sys.executable, "-m", "review", "--stack", "prod", "--format", "json")
        may = prod.run(*as_reviewer, "kubectl", "auth", "can-i", "patch", "deployments", "-n", "ml-serving")
    finally:
        prod.restore("prod")
    page = (prod.folder / "page.md").read_text(encoding="utf-8")
    assert (done.returncode, may.stdout) == (0, "no\n"), done.stderr + page
    assert page.startswith(marker("prod"))
    made = json.loads(as_json.stdout)
    effects = {(one["target"], one["effect"]["code"]) for one in made["interruptions"]}
    assert ("Service ml-serving/model-api", "address-released") in effects
    notes = {(n["code"], n["values"]["reason"]["code"], n["values"].get("target")) for n in made["notes"]}
    assert ("permissions-not-checked", "read-only-user", None) in notes
    assert ("admission-not-checked", "forbidden", "Deployment ml-serving/model-serving") in notes
