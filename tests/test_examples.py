"""Every example runs, and makes what it is an example of."""

import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import components
from tests.mocks import Deployment, deploy
from tests.schemas import assert_valid

FOLDER = Path(__file__).resolve().parent.parent / "examples"
EXAMPLES = sorted(file.parent.name for file in FOLDER.glob("*/__main__.py"))


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The components under the name that their distribution gives them; each example's own modules are its own."""
    monkeypatch.setitem(sys.modules, "ml_platform", components)
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if str(FOLDER) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def run(example: str, **changes: str | None) -> Deployment:
    """Run an example with the configuration of its dev stack, changed."""
    file = FOLDER / example / "Pulumi.dev.yaml"
    content = yaml.safe_load(file.read_text(encoding="utf-8"))["config"] if file.exists() else {}
    given = {key.removeprefix(f"{example}:"): str(value) for key, value in content.items()} | changes
    config = {f"ml-platform:{key}": value for key, value in given.items() if value is not None}
    return deploy(lambda: runpy.run_path(str(FOLDER / example)) and None, config=config)


def objects(deployment: Deployment) -> dict[str, dict[str, Any]]:
    """The Kubernetes objects by kind and name."""
    made = [resource.inputs for resource in deployment.resources if resource.request.custom]
    return {f"{manifest['kind']} {manifest['metadata']['name']}": manifest for manifest in made}


def test_there_are_six() -> None:
    assert len(EXAMPLES) >= 6


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_object_is_valid_to_kubernetes(example: str) -> None:
    assert_valid(objects(run(example)))


def test_a_team_with_a_quota() -> None:
    made = objects(run("team-with-quota"))
    assert made["ResourceQuota vision-quota"]["spec"]["hard"]["requests.nvidia.com/gpu"] == "8"
    assert made["ResourceQuota vision-priority-deadline"]["spec"]["hard"] == {"requests.nvidia.com/gpu": "2"}
    assert made["PriorityClass batch"]["preemptionPolicy"] == "Never"
    assert made["RoleBinding team-admin"]["subjects"][0]["name"] == "vision-leads"


def test_a_distributed_finetune_fills_its_quota_and_keeps_its_checkpoints() -> None:
    deployment = run("distributed-finetune")
    made = objects(deployment)
    job = made["Job llama-finetune"]["spec"]
    env = {variable["name"]: variable.get("value") for variable in job["template"]["spec"]["containers"][0]["env"]}
    assert (job["completions"], env["PET_NNODES"], env["PET_NPROC_PER_NODE"]) == (2, "2", "4")
    assert env["CHECKPOINT_DIR"] == "/checkpoints/llama-finetune"
    assert made["ResourceQuota nlp-finetune-quota"]["spec"]["hard"]["requests.nvidia.com/gpu"] == "8"
    assert deployment.exports["job"] == "llama-finetune"


def test_a_canary_begins_and_is_promoted() -> None:
    during, after = objects(run("canary")), objects(run("canary", stable="v1.3", candidate=None))
    assert during["Deployment bert"]["spec"]["replicas"] == 3
    assert during["Deployment bert-canary"]["spec"]["replicas"] == 1
    assert during["Deployment bert-canary"]["metadata"]["labels"]["model-version"] == "v1.3"
    assert "Deployment bert-canary" not in after
    assert after["Deployment bert"]["metadata"]["labels"]["model-version"] == "v1.3"


def test_a_hosted_model_is_a_name_without_pods() -> None:
    deployment = run("hosted-model")
    made = objects(deployment)
    assert made["Service chat-api"]["spec"]["externalName"] == "models.example.com"
    assert not [name for name in made if name.startswith("Deployment")]
    assert deployment.exports["url"] == "http://chat-api.assistants.svc.cluster.local:443"


def test_house_defaults_hold_where_the_program_says_nothing() -> None:
    deployment = run("house-defaults")
    made = objects(deployment)
    (trainer,) = made["Job ranker-training"]["spec"]["template"]["spec"]["containers"]
    assert trainer["image"] == "registry.acme.example/pytorch:2.8"
    assert trainer["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert (made["Job ranker-training"]["spec"]["activeDeadlineSeconds"]) == 86400
    assert made["Deployment ranker"]["spec"]["replicas"] == 2
    assert made["Deployment ranker"]["spec"]["progressDeadlineSeconds"] == 900
    assert made["ValidatingAdmissionPolicy ranking-registries"]
    assert "ranker-deployment" in deployment.names()


def test_a_retraining_is_a_new_job_each_month() -> None:
    november, december = objects(run("retraining")), objects(run("retraining", month="2026-12"))
    assert "Job demand-2026-11" in november
    assert "Job demand-2026-12" in december
    assert run("retraining")["demand-job"].request.retainOnDelete


def test_a_model_is_served_after_its_training() -> None:
    deployment = run("train-then-serve")
    assert deployment["fraud-training-job"].inputs["metadata"]["annotations"]["pulumi.com/replaceUnready"] == "true"
    (service,) = (r for r in deployment.resources if r.type == "ml-platform:index:ModelService")
    assert any(urn.endswith("::fraud-training-job") for urn in service.request.dependencies)
