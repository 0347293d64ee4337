"""Every example runs, and creates the objects that it demonstrates."""

import sys
from collections.abc import Iterator

import pytest
import yaml

import components
from tests.examples.programs import EXAMPLES, FOLDER, objects, run
from tests.schemas import assert_valid


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The components under the name of their distribution. Modules of an example are not kept for the next one."""
    monkeypatch.setitem(sys.modules, "ml_platform", components)
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if str(FOLDER) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def test_every_example_is_listed() -> None:
    listed = (FOLDER / "README.md").read_text(encoding="utf-8")
    for example in FOLDER.glob("*/Pulumi.yaml"):
        assert f"| `{example.parent.name}/` |" in listed
        assert yaml.safe_load(example.read_text(encoding="utf-8"))["name"] == example.parent.name
    assert len(EXAMPLES) >= 7


@pytest.mark.parametrize("example", EXAMPLES)
def test_objects_are_valid(example: str) -> None:
    assert_valid(objects(run(example)))


def test_team_with_quota() -> None:
    created = objects(run("team-with-quota"))
    assert created["ResourceQuota vision-quota"]["spec"]["hard"]["requests.nvidia.com/gpu"] == "8"
    assert created["ResourceQuota vision-priority-deadline"]["spec"]["hard"] == {"requests.nvidia.com/gpu": "2"}
    assert created["PriorityClass batch"]["preemptionPolicy"] == "Never"
    assert created["RoleBinding team-admin"]["subjects"][0]["name"] == "vision-leads"


def test_distributed_finetune() -> None:
    deployment = run("distributed-finetune")
    created = objects(deployment)
    job = created["Job llama-finetune"]["spec"]
    env = {variable["name"]: variable.get("value") for variable in job["template"]["spec"]["containers"][0]["env"]}
    assert (job["completions"], env["PET_NNODES"], env["PET_NPROC_PER_NODE"]) == (2, "2", "4")
    assert env["CHECKPOINT_DIR"] == "/checkpoints/llama-finetune"
    assert created["ResourceQuota nlp-finetune-quota"]["spec"]["hard"]["requests.nvidia.com/gpu"] == "8"
    assert deployment.exports["job"] == "llama-finetune"


def test_canary_and_its_promotion() -> None:
    during, after = objects(run("canary")), objects(run("canary", stable="v1.3", candidate=None))
    assert during["Deployment bert"]["spec"]["replicas"] == 3
    assert during["Deployment bert-canary"]["spec"]["replicas"] == 1
    assert during["Deployment bert-canary"]["metadata"]["labels"]["model-version"] == "v1.3"
    assert "Deployment bert-canary" not in after
    assert after["Deployment bert"]["metadata"]["labels"]["model-version"] == "v1.3"


def test_hosted_model_has_no_pods() -> None:
    deployment = run("hosted-model")
    created = objects(deployment)
    assert created["Service chat-api"]["spec"]["externalName"] == "models.example.com"
    assert not [name for name in created if name.startswith("Deployment")]
    assert deployment.exports["url"] == "http://chat-api.assistants.svc.cluster.local:443"


def test_house_defaults_apply_unless_the_program_sets_a_value() -> None:
    deployment = run("house-defaults")
    created = objects(deployment)
    (trainer,) = created["Job ranker-training"]["spec"]["template"]["spec"]["containers"]
    assert trainer["image"] == "registry.acme.example/pytorch:2.8"
    assert trainer["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert created["Job ranker-training"]["spec"]["activeDeadlineSeconds"] == 86400
    assert created["Deployment ranker"]["spec"]["replicas"] == 2
    assert created["Deployment ranker"]["spec"]["progressDeadlineSeconds"] == 900
    assert created["ValidatingAdmissionPolicy ranking-registries"]
    assert "ranker-deployment" in deployment.names()


def test_retraining_creates_a_job_for_each_month() -> None:
    november, december = objects(run("retraining")), objects(run("retraining", month="2026-12"))
    assert "Job demand-2026-11" in november
    assert "Job demand-2026-12" in december
    assert run("retraining")["demand-job"].request.retainOnDelete


def test_train_then_serve_depends_on_the_training() -> None:
    deployment = run("train-then-serve")
    assert deployment["fraud-training-job"].inputs["metadata"]["annotations"]["pulumi.com/replaceUnready"] == "true"
    (service,) = (r for r in deployment.resources if r.type == "ml-platform:index:ModelService")
    assert any(urn.endswith("::fraud-training-job") for urn in service.request.dependencies)
