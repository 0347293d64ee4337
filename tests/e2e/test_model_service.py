"""A model service on the real engine, provider and API server: changed while its endpoints are watched."""

import shutil
import subprocess
import sys
import time
from typing import Any

import pytest

from tests.e2e.project import Project, Stack
from tests.e2e.watch import watching

_PATH = "ml-platform:modelServices.model-serving"
_GOOD, _BETTER = "myregistry/bert-serving:v1.2", "myregistry/bert-serving:v1.3"


@pytest.fixture(scope="module")
def prod(project: Project) -> Stack:
    """The prod stack, deployed: three replicas with a GPU each. The quota leaves some GPUs for a surge."""
    stack = project.stack("prod")
    configure(project, rollout="surge")
    stack.up()
    return stack


def configure(project: Project, **values: Any) -> None:
    """Set arguments of the service on the command line, as a user does. None removes an argument."""
    for key, value in values.items():
        path = f"{_PATH}.{key.replace('__', '.')}"
        words = ["rm", "--path", path] if value is None else ["set", "--path", path, str(value)]
        done = project.run("pulumi", "config", *words, "--stack", "prod")
        assert done.returncode == 0, done.stderr


def deployment(project: Project) -> Any:
    return project.get("deployment", "model-serving", "ml-serving")


def version(project: Project) -> tuple[str, str]:
    template = deployment(project)["spec"]["template"]
    return template["metadata"]["labels"]["model-version"], template["spec"]["containers"][0]["image"]


def test_a_new_version_and_its_rollback(project: Project, prod: Stack) -> None:
    before = (project.folder / "Pulumi.prod.yaml").read_text(encoding="utf-8")
    with watching(project, "model-serving", "model-api", "ml-serving") as observed:
        configure(project, image=_BETTER, version="v1.3")
        prod.up()
        assert version(project) == ("v1.3", _BETTER)
        done = project.operations("rollback", "--service", "model-serving", "--stack", "prod")
        assert done.returncode == 0, done.stdout + done.stderr
    assert version(project) == ("v1.2", _GOOD)
    assert observed.images == {_GOOD, _BETTER}
    assert observed.min_ready >= 3
    assert (project.folder / "Pulumi.prod.yaml").read_text(encoding="utf-8") == before
    lines = done.stdout.splitlines()
    edit = lines.index(f"  Pulumi.prod.yaml: image: {_BETTER} -> {_GOOD}")
    assert edit < next(number for number, line in enumerate(lines) if "updating" in line)
    preview = project.run("pulumi", "preview", "--stack", "prod", "--expect-no-changes")
    assert preview.returncode == 0, preview.stdout


def test_a_rollback_to_a_named_version(project: Project, prod: Stack) -> None:
    done = project.operations("rollback", "--service", "model-serving", "--stack", "prod", "--to", "v1.3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert version(project) == ("v1.3", _BETTER)
    unknown = project.operations("rollback", "--service", "model-serving", "--stack", "prod", "--to", "v9")
    assert unknown.returncode == 1
    assert "no successful update of stack prod matches 'v9'" in unknown.stderr
    assert f"Deployed versions: v1.3 ({_BETTER}), v1.2 ({_GOOD})" in unknown.stderr


def test_scaling_up_and_down(project: Project, prod: Stack) -> None:
    with watching(project, "model-serving", "model-api", "ml-serving") as observed:
        configure(project, replicas=6)
        prod.up()
        wait_for(project, 6)
    assert observed.min_ready >= 3
    with watching(project, "model-serving", "model-api", "ml-serving") as observed:
        configure(project, replicas=2)
        prod.up()
    assert observed.min_ready >= 2
    configure(project, replicas=3)
    prod.up()


def test_an_autoscaler_is_added_and_removed(project: Project, prod: Stack) -> None:
    with watching(project, "model-serving", "model-api", "ml-serving") as observed:
        configure(project, replicas=None, autoscale__min=3, autoscale__max=6, autoscale__cpu=70)
        prod.up()
    assert set(observed.replicas) == {3}
    # The cluster has no metrics: here, only its minimum makes the autoscaler scale.
    with watching(project, "model-serving", "model-api", "ml-serving") as observed:
        configure(project, autoscale__min=5)
        prod.up()
        wait_for(project, 5)
        configure(project, autoscale__min=3)
        prod.up()
    assert observed.min_ready >= 3
    assert deployment(project)["spec"]["replicas"] == 5
    with watching(project, "model-serving", "model-api", "ml-serving") as observed:
        configure(project, image=_GOOD, version="v1.2")
        prod.up()
    # A new version keeps the replicas that the autoscaler has set.
    assert set(observed.replicas) == {5}
    assert observed.min_ready >= 5
    with watching(project, "model-serving", "model-api", "ml-serving") as observed:
        configure(project, autoscale=None, replicas=3)
        prod.up()
        wait_for(project, 3)
    assert observed.min_ready >= 3
    assert project.names("hpa", "ml-serving") == []
    prod.up("--expect-no-changes")


def wait_for(project: Project, replicas: int) -> None:
    end = time.monotonic() + 40
    while deployment(project)["status"].get("readyReplicas") != replicas:
        assert time.monotonic() < end, deployment(project)["status"]
        time.sleep(0.5)


def test_an_image_that_cannot_be_pulled_fails_within_the_startup_budget_while_the_old_pods_serve(
    project: Project, prod: Stack
) -> None:
    configure(project, replicas=1, startupBudgetSeconds=40)
    prod.up()
    with watching(project, "model-serving", "model-api", "ml-serving") as observed:
        configure(project, image="myregistry/bert-serving:missing", version="v1.4")
        started = time.monotonic()
        failed = project.run("pulumi", "up", "--yes", "--skip-preview", "--stack", "prod")
        assert failed.returncode != 0
        # The time in which the engine starts and ends is not part of the budget.
        assert time.monotonic() - started < 40 + 30
        output = failed.stdout + failed.stderr
        assert "ImagePullBackOff" in output
        assert "myregistry/bert-serving:missing" in output
        configure(project, image=_BETTER, version="v1.3")
        prod.up()
    assert observed.min_ready >= 1
    assert version(project) == ("v1.3", _BETTER)
    prod.up("--expect-no-changes")


def test_a_rollback_skips_a_version_that_never_became_ready(project: Project, prod: Stack) -> None:
    configure(project, image="myregistry/bert-serving:missing", version="v1.4", timeoutSeconds=10)
    failed = project.run("pulumi", "up", "--yes", "--skip-preview", "--stack", "prod")
    assert failed.returncode != 0
    configure(project, timeoutSeconds=None)
    done = project.operations("rollback", "--service", "model-serving", "--stack", "prod")
    assert done.returncode == 0, done.stdout + done.stderr
    assert version(project) == ("v1.3", _BETTER)
    configure(project, replicas=3)
    prod.up()


def test_a_rollback_on_the_cluster_and_backend_of_the_environment(project: Project, prod: Stack) -> None:
    """In a checkout without a sandbox, the backend and the cluster are those of the environment."""
    elsewhere = Project.copy(project.folder / ".elsewhere")
    for name in ("Pulumi.prod.yaml", "Pulumi.yaml"):
        shutil.copy2(project.folder / name, elsewhere.folder / name)
    command = [sys.executable, "-m", "operations", "rollback", "--service", "model-serving", "--stack", "prod"]
    done = subprocess.run(
        command, cwd=elsewhere.folder, env=project.environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no sandbox is running: using the Pulumi backend and the cluster of the environment" in done.stdout
    assert version(project) == ("v1.2", _GOOD)
    assert f"image: {_GOOD}" in (elsewhere.folder / "Pulumi.prod.yaml").read_text(encoding="utf-8")
    assert not (elsewhere.folder / ".sandbox" / "cluster").exists()


def test_a_rollout_without_free_gpus_replaces_pod_by_pod(project: Project, prod: Stack) -> None:
    configure(project, rollout=None, image=_BETTER, version="v1.3")
    with watching(project, "model-serving", "model-api", "ml-serving") as observed:
        prod.up()
    assert version(project) == ("v1.3", _BETTER)
    assert observed.min_ready >= 2
