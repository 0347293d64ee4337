"""The review of a change, made of what the real engine says of it."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.project import Project
from tests.review.change import change

GOLDEN = Path(__file__).parent.parent / "review" / "prod-change.md"


@pytest.fixture(scope="module")
def prod(project: Project) -> Project:
    """The prod stack, up."""
    project.stack("prod").up()
    return project


@pytest.fixture
def changed(prod: Project) -> Iterator[Project]:
    """The prod stack, up, with a change that is not."""
    prod.edit("prod", change)
    yield prod
    prod.restore("prod")


def reviewed(project: Project, *arguments: str) -> tuple[int, str]:
    done = project.run(sys.executable, "-m", "review", "--stack", "prod", *arguments)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout + done.stderr


def test_the_page_is_the_one_that_was_read(changed: Project) -> None:
    status, page = reviewed(changed, "--format", "markdown", "--offline")
    assert status == 0
    address = changed.get("service", "model-api", "ml-serving")["status"]["loadBalancer"]["ingress"][0]["ip"]
    golden = GOLDEN.read_text(encoding="utf-8")
    (of_golden,) = set(re.findall(r"gives up the address ([0-9.]+)", golden))
    assert page.replace(address, of_golden) == golden


def test_no_change(prod: Project) -> None:
    status, page = reviewed(prod)
    assert status == 0
    assert page.startswith("prod: ✅ no changes")


def test_what_the_base_would_change_already_is_told_apart(changed: Project) -> None:
    identity = ("git", "-c", "user.name=test", "-c", "user.email=test@example.com")
    for command in (("init", "--quiet"), ("add", "--all", ":!.venv"), ("commit", "--quiet", "--message", "the change")):
        assert changed.run(*identity, *command).returncode == 0
    changed.edit("prod", lambda settings: settings["teams"]["data-pipeline"]["quota"].update(pods="70"))
    status, page = reviewed(changed, "--base", "HEAD")
    assert status == 0
    pending = page.split("Not of this change: pending already")[1]
    assert "Deployment ml-serving/model-serving" in pending
    assert "ResourceQuota data-pipeline/data-pipeline-quota" not in pending
    assert changed.run("git", "worktree", "list").stdout.count("\n") == 1


def test_a_stack_that_is_refused(prod: Project) -> None:
    prod.edit("prod", lambda settings: settings["modelServices"]["model-serving"].update(replicas=0))
    try:
        status, page = reviewed(prod)
    finally:
        prod.restore("prod")
    assert status == 1
    assert "ml-platform:modelServices.model-serving.replicas: must be at least 1 (got 0)" in page


def test_a_stack_that_does_not_exist(project: Project) -> None:
    done = project.run(sys.executable, "-m", "review", "--stack", "none")
    assert done.returncode == 2
    assert "no stack named 'none' found" in done.stderr


def explained(project: Project) -> tuple[int, str]:
    done = project.run(sys.executable, "-m", "review", "explain", "--stack", "prod")
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_explain_when_all_is_well(prod: Project) -> None:
    assert explained(prod) == (
        0,
        "prod: nothing is wrong with the pods of this stack, as far as its events and their states say\n",
    )


def test_explain_asks_the_cluster_of_the_stack(prod: Project) -> None:
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
    """A quota that someone made smaller by hand, nodes that are not there, and a server that wants more memory."""
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
    for kind, name, place, patch, flags in patches:
        done = prod.run("kubectl", "patch", kind, name, "-n", place, *flags, "-p", json.dumps(patch))
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
        status, text = explained(prod)
    finally:
        prod.restore("prod")
    assert status == 1
    assert "Deployment ml-serving/model-serving: the namespace's ResourceQuota ml-serving-quota is full" in text
    assert "the memory limit of 16Gi is too low" in text
    assert "Job data-pipeline/lost: no node has both the labels that the pods select" in text


def test_a_preview_with_the_least_rights(prod: Project) -> None:
    """The committed role is enough to preview and to review, and for nothing else."""
    as_reviewer = prod.reviewer()
    prod.edit("prod", change)
    try:
        done = prod.run(*as_reviewer, ".ci/preview", "prod", "page.md")
        may = prod.run(*as_reviewer, "kubectl", "auth", "can-i", "patch", "deployments", "-n", "ml-serving")
    finally:
        prod.restore("prod")
    page = (prod.folder / "page.md").read_text(encoding="utf-8")
    assert (done.returncode, may.stdout) == (0, "no\n"), done.stderr
    assert "Service ml-serving/model-api` | no longer a load balancer | gives up the address" in page
    assert "the rights of whoever deploys: this user may change nothing of this" in page
    assert "whether pods of Deployment ml-serving/model-serving would be admitted: this user may not try" in page
