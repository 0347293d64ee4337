"""The examples, deployed with the real engine and provider to one cluster."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.project import Project
from tests.e2e.test_stack import quiet
from tests.examples.programs import EXAMPLES

Done = subprocess.CompletedProcess[str]
Outcomes = dict[str, tuple[Done, Done]]


def _installed(project: Project) -> Path:
    """A folder with the components under the name of their distribution. Other tests build the distribution."""
    folder = project.folder / ".site-packages"
    folder.mkdir(exist_ok=True)
    if not (folder / "ml_platform").exists():
        (folder / "ml_platform").symlink_to(project.folder / "components")
    return folder


# The controller manager binds the claims of the examples to these volumes, as a cloud's provisioner would.
_VOLUMES = {"finetune": "500Gi", "fraud": "50Gi"}


def pulumi(project: Project, example: str, *arguments: str) -> Done:
    """Run pulumi in the folder of an example."""
    flags = ["--cwd", f"examples/{example}", "--non-interactive"]
    return project.run("env", f"PYTHONPATH={_installed(project)}", "pulumi", *flags, *arguments)


def up(project: Project, example: str) -> Done:
    return pulumi(project, example, "up", "--yes", "--skip-preview", "--stack", "dev")


def configure(project: Project, example: str, *words: str) -> None:
    done = pulumi(project, example, "config", *words, "--stack", "dev")
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def deployed(project: Project) -> Outcomes:
    """All examples, deployed in parallel, and a preview of each after that."""
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

    def deploy(example: str) -> tuple[Done, Done]:
        created = pulumi(project, example, "stack", "init", "dev")
        assert created.returncode == 0, created.stderr
        preview = ("preview", "--expect-no-changes", "--stack", "dev")
        return up(project, example), pulumi(project, example, *preview)

    with ThreadPoolExecutor(max_workers=3) as pool:
        return dict(zip(EXAMPLES, pool.map(deploy, EXAMPLES), strict=True))


def outputs(project: Project, example: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(pulumi(project, example, "stack", "output", "--json", "--stack", "dev").stdout)
    return found


@pytest.mark.parametrize("example", EXAMPLES)
def test_deploys_without_a_warning(example: str, deployed: Outcomes) -> None:
    done, _ = deployed[example]
    assert done.returncode == 0, done.stdout + done.stderr
    quiet(done.stdout + done.stderr)


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_second_up_changes_nothing(example: str, deployed: Outcomes) -> None:
    _, preview = deployed[example]
    assert preview.returncode == 0, preview.stdout + preview.stderr


def test_the_workers_of_the_finetune_run_on_gpu_nodes(project: Project, deployed: Outcomes) -> None:
    pods = project.get("pods", namespace="nlp-finetune")["items"]
    assert sorted(pod["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"] for pod in pods) == ["0", "1"]
    assert all(pod["spec"]["nodeName"].startswith("gpu-") for pod in pods)
    used = project.get("resourcequota", "nlp-finetune-quota", "nlp-finetune")["status"]["hard"]
    assert used["requests.nvidia.com/gpu"] == "8"


def test_the_hosted_model_has_no_pods(project: Project, deployed: Outcomes) -> None:
    service = project.get("service", "chat-api", "assistants")
    assert (service["spec"]["type"], service["spec"]["externalName"]) == ("ExternalName", "models.example.com")
    assert project.names("pods", "assistants") == []


def test_the_trained_model_is_served(project: Project, deployed: Outcomes) -> None:
    job = project.get("job", "fraud-training-v7", "fraud")
    deployment = project.get("deployment", "fraud", "fraud")
    assert job["status"]["succeeded"] == 1
    assert deployment["status"]["readyReplicas"] == 2
    assert job["status"]["completionTime"] <= deployment["metadata"]["creationTimestamp"]


def test_the_canary_is_promoted(project: Project, deployed: Outcomes) -> None:
    assert sorted(project.names("deployments", "search")) == ["bert", "bert-canary"]
    configure(project, "canary", "set", "stable", "v1.3")
    configure(project, "canary", "rm", "candidate")
    done = up(project, "canary")
    assert done.returncode == 0, done.stdout + done.stderr
    assert project.names("deployments", "search") == ["bert"]
    assert project.get("deployment", "bert", "search")["metadata"]["labels"]["model-version"] == "v1.3"


def test_earlier_runs_are_kept(project: Project, deployed: Outcomes) -> None:
    configure(project, "retraining", "set", "month", "2026-12")
    done = up(project, "retraining")
    assert done.returncode == 0, done.stdout + done.stderr
    assert outputs(project, "retraining") == {"job": "demand-2026-12"}
    assert sorted(project.names("jobs", "forecasting")) == ["demand-2026-11", "demand-2026-12"]
