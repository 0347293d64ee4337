"""The examples on the real engine, provider and API server, all in one cluster."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.project import Project
from tests.e2e.test_stack import quiet
from tests.test_examples import EXAMPLES

Done = subprocess.CompletedProcess[str]
Outcomes = dict[str, tuple[Done, Done]]


def _installed(project: Project) -> Path:
    """A folder with the components as their distribution has them: the tests of that make a real one."""
    folder = project.folder / ".site-packages"
    folder.mkdir(exist_ok=True)
    if not (folder / "ml_platform").exists():
        (folder / "ml_platform").symlink_to(project.folder / "components")
    return folder


# Claims of this class are bound to these volumes by the controller manager, as a cloud's would be.
_VOLUMES = {"finetune": "500Gi", "fraud": "50Gi"}


def pulumi(project: Project, example: str, *arguments: str) -> Done:
    """Run pulumi in the folder of an example."""
    where = ["--cwd", f"examples/{example}", "--non-interactive"]
    return project.run("env", f"PYTHONPATH={_installed(project)}", "pulumi", *where, *arguments)


def up(project: Project, example: str) -> Done:
    return pulumi(project, example, "up", "--yes", "--skip-preview", "--stack", "dev")


def configure(project: Project, example: str, *words: str) -> None:
    done = pulumi(project, example, "config", *words, "--stack", "dev")
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def brought_up(project: Project) -> Outcomes:
    """All examples, brought up side by side, and what a preview says after that."""
    _installed(project)
    for name, size in _VOLUMES.items():
        volume = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name},
            "spec": {
                "capacity": {"storage": size},
                "accessModes": ["ReadWriteMany"],
                "storageClassName": "shared-files",
                "nfs": {"server": "files.example.com", "path": f"/{name}"},
            },
        }
        assert project.apply(volume).returncode == 0

    def first(example: str) -> tuple[Done, Done]:
        made = pulumi(project, example, "stack", "init", "dev")
        assert made.returncode == 0, made.stderr
        preview = ("preview", "--expect-no-changes", "--stack", "dev")
        return up(project, example), pulumi(project, example, *preview)

    with ThreadPoolExecutor(max_workers=3) as pool:
        return dict(zip(EXAMPLES, pool.map(first, EXAMPLES), strict=True))


def outputs(project: Project, example: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(pulumi(project, example, "stack", "output", "--json", "--stack", "dev").stdout)
    return found


@pytest.mark.parametrize("example", EXAMPLES)
def test_comes_up_without_a_warning(example: str, brought_up: Outcomes) -> None:
    done, _ = brought_up[example]
    assert done.returncode == 0, done.stdout + done.stderr
    quiet(done.stdout + done.stderr)


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_second_up_would_change_nothing(example: str, brought_up: Outcomes) -> None:
    _, preview = brought_up[example]
    assert preview.returncode == 0, preview.stdout + preview.stderr


def test_the_workers_of_the_finetune_have_their_gpus(project: Project, brought_up: Outcomes) -> None:
    pods = project.get("pods", namespace="nlp-finetune")["items"]
    assert sorted(pod["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"] for pod in pods) == ["0", "1"]
    assert all(pod["spec"]["nodeName"].startswith("gpu-") for pod in pods)
    used = project.get("resourcequota", "nlp-finetune-quota", "nlp-finetune")["status"]["hard"]
    assert used["requests.nvidia.com/gpu"] == "8"


def test_the_hosted_model_is_a_name(project: Project, brought_up: Outcomes) -> None:
    service = project.get("service", "chat-api", "assistants")
    assert (service["spec"]["type"], service["spec"]["externalName"]) == ("ExternalName", "models.example.com")
    assert project.names("pods", "assistants") == []


def test_the_trained_model_is_served(project: Project, brought_up: Outcomes) -> None:
    job = project.get("job", "fraud-training-v7", "fraud")
    deployment = project.get("deployment", "fraud", "fraud")
    assert job["status"]["succeeded"] == 1
    assert deployment["status"]["readyReplicas"] == 2
    assert job["status"]["completionTime"] <= deployment["metadata"]["creationTimestamp"]


def test_the_canary_is_promoted(project: Project, brought_up: Outcomes) -> None:
    assert sorted(project.names("deployments", "search")) == ["bert", "bert-canary"]
    configure(project, "canary", "set", "stable", "v1.3")
    configure(project, "canary", "rm", "candidate")
    done = up(project, "canary")
    assert done.returncode == 0, done.stdout + done.stderr
    assert project.names("deployments", "search") == ["bert"]
    assert project.get("deployment", "bert", "search")["metadata"]["labels"]["model-version"] == "v1.3"


def test_the_run_of_another_month_is_kept(project: Project, brought_up: Outcomes) -> None:
    configure(project, "retraining", "set", "month", "2026-12")
    done = up(project, "retraining")
    assert done.returncode == 0, done.stdout + done.stderr
    assert outputs(project, "retraining") == {"job": "demand-2026-12"}
    assert sorted(project.names("jobs", "forecasting")) == ["demand-2026-11", "demand-2026-12"]
