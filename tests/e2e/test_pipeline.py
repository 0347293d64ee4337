"""What the workflows call, typed as any other CI would: up with the approved commit, then looking for drift."""

from pathlib import Path

import pytest

from tests.e2e import scanners
from tests.e2e.project import SOURCE, Project


@pytest.fixture(scope="module")
def repository(project: Project) -> Project:
    """The project as a repository with one commit, and its stack not yet up."""
    author = ("-c", "user.name=ci", "-c", "user.email=ci@example.com")
    for command in (("init", "--quiet"), ("add", "--all"), (*author, "commit", "--quiet", "--message", "approved")):
        done = project.run("git", *command)
        assert done.returncode == 0, done.stderr
    assert project.run("pulumi", "stack", "init", "prod").returncode == 0
    return project


def test_up_with_the_approved_commit_and_no_drift_after_it(repository: Project) -> None:
    approved = repository.run("git", "rev-parse", "HEAD").stdout.strip()
    up = repository.run(".ci/up", "prod", approved, timeout=300)
    assert up.returncode == 0, up.stdout + up.stderr
    assert repository.get("deployment", "model-serving", "ml-serving")["status"]["readyReplicas"] == 3
    drift = repository.run(".ci/drift", "prod")
    assert drift.returncode == 0, drift.stdout + drift.stderr


def test_a_change_by_hand_is_drift(repository: Project) -> None:
    scaled = repository.run("kubectl", "scale", "deployment/model-serving", "--replicas=2", "-n", "ml-serving")
    assert scaled.returncode == 0, scaled.stderr
    drift = repository.run(".ci/drift", "prod")
    assert drift.returncode != 0
    assert "model-serving-deployment" in drift.stdout
    assert "replicas" in drift.stdout


def test_actionlint_finds_nothing_in_the_workflows(tmp_path: Path) -> None:
    workflows = sorted((SOURCE / ".github" / "workflows").iterdir())
    done = scanners.actionlint(*workflows)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
    (tmp_path / "wrong.yml").write_text(
        workflows[0].read_text(encoding="utf-8").replace("steps:", "step:"), encoding="utf-8"
    )
    assert 'unexpected key "step"' in scanners.actionlint(tmp_path / "wrong.yml").stdout
