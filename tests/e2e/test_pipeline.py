"""The commands that the workflows run: up with the approved commit, then drift detection with read permissions."""

from pathlib import Path
from typing import Any

import pytest

from tests.e2e import scanners
from tests.e2e.project import SOURCE, Project


@pytest.fixture(scope="module")
def repository(project: Project) -> Project:
    """The project as a repository with one commit. Its stack is not deployed."""
    project.edit("prod", _with_every_kind)
    author = ("-c", "user.name=ci", "-c", "user.email=ci@example.com")
    for command in (("init", "--quiet"), ("add", "--all"), (*author, "commit", "--quiet", "--message", "approved")):
        done = project.run("git", *command)
        assert done.returncode == 0, done.stderr
    assert project.run("pulumi", "stack", "init", "prod").returncode == 0
    return project


@pytest.fixture(scope="module")
def reader(repository: Project) -> tuple[str, ...]:
    """The prefix of a command that runs it with the permissions of the drift workflow."""
    return repository.reviewer()


def _with_every_kind(settings: dict[str, Any]) -> None:
    """Every kind of object that the components create and that a cluster without extensions has."""
    settings["priorityClasses"] = {"training": {"value": 1000}}
    settings["teams"]["data-pipeline"].update(
        registries=["ghcr.io/acme"], access={"viewers": ["v"], "developers": ["d"], "admins": ["a"]}
    )
    settings["trainingJobs"]["single-pod"] = {
        "team": "data-pipeline",
        "image": "ghcr.io/acme/a:v1",
        "controller": "pod",
        "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}},
    }
    settings["modelServices"]["model-serving"]["ingress"] = {"host": "models.example.com", "awaitAddress": False}


def test_up_with_the_approved_commit_and_no_drift_after_it(repository: Project, reader: tuple[str, ...]) -> None:
    approved = repository.run("git", "rev-parse", "HEAD").stdout.strip()
    up = repository.run(".ci/up", "prod", approved, timeout=300)
    assert up.returncode == 0, up.stdout + up.stderr
    assert repository.get("deployment", "model-serving", "ml-serving")["status"]["readyReplicas"] == 3
    drift = repository.run(*reader, ".ci/drift", "prod")
    assert drift.returncode == 0, drift.stdout + drift.stderr


def test_a_change_with_kubectl_is_drift(repository: Project, reader: tuple[str, ...]) -> None:
    scaled = repository.run("kubectl", "scale", "deployment/model-serving", "--replicas=2", "-n", "ml-serving")
    assert scaled.returncode == 0, scaled.stderr
    drift = repository.run(*reader, ".ci/drift", "prod")
    assert drift.returncode != 0
    assert "model-serving-deployment" in drift.stdout
    assert "replicas" in drift.stdout


def test_actionlint_reports_no_findings(tmp_path: Path) -> None:
    workflows = sorted((SOURCE / ".github" / "workflows").iterdir())
    done = scanners.actionlint(*workflows)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
    (tmp_path / "wrong.yml").write_text(
        workflows[0].read_text(encoding="utf-8").replace("steps:", "step:"), encoding="utf-8"
    )
    assert 'unexpected key "step"' in scanners.actionlint(tmp_path / "wrong.yml").stdout
