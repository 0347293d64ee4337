"""The objects of a TrainingJob."""

from typing import Any

import pytest

from components import NodePool
from tests.schemas import assert_valid
from tests.trainings import CUSTOM, OPTIONS, container, job, objects, pod_spec
from tests.workloads import GPU_POOL

TORCHRUN: dict[str, Any] = {"workers": 8, "distributed": "torchrun"}


def test_a_job_replaces_a_failed_pod_and_is_not_deleted_after_it_has_finished() -> None:
    spec = job(retries=3, deadline_seconds=3600)["spec"]
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    assert (spec["backoffLimit"], spec["activeDeadlineSeconds"]) == (3, 3600)
    assert "ttlSecondsAfterFinished" not in spec


def test_the_containers_of_a_bare_pod_are_restarted_in_place() -> None:
    made = objects(controller="pod", deadline_seconds=60)
    assert "job" not in made
    assert made["pod"]["spec"]["restartPolicy"] == "OnFailure"
    assert made["pod"]["spec"]["activeDeadlineSeconds"] == 60
    assert made["pod"]["metadata"]["name"] == "bert"


@pytest.mark.parametrize("given", [{}, {"controller": "pod"}, {"workers": 2, "distributed": "torchrun"}])
def test_annotations_are_on_all_objects_and_pods(given: dict[str, Any]) -> None:
    made = objects(annotations={"note": "x"}, **given)
    assert all(manifest["metadata"]["annotations"]["note"] == "x" for manifest in made.values())
    if "job" in made:
        assert made["job"]["spec"]["template"]["metadata"]["annotations"]["note"] == "x"


def test_labels() -> None:
    labels = job(framework="jax", experiment="lr-sweep", labels={"app": "ml", "tier": "gold"})["metadata"]["labels"]
    assert labels == {
        "app": "ml",
        "app.kubernetes.io/name": "bert",
        "app.kubernetes.io/managed-by": "pulumi",
        "workload-type": "training",
        "framework": "jax",
        "experiment": "lr-sweep",
        "tier": "gold",
    }


def test_the_app_label_defaults_to_the_components_name() -> None:
    assert job()["metadata"]["labels"]["app"] == "bert"


def test_the_pods_of_a_job_have_only_the_labels_that_are_immutable() -> None:
    made = job(labels={"app": "ml", "tier": "gold"}, framework="jax", queue="gpus")
    assert made["metadata"]["labels"]["tier"] == "gold"
    assert made["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "gpus"
    assert made["spec"]["template"]["metadata"]["labels"] == {
        "app": "ml",
        "app.kubernetes.io/name": "bert",
        "app.kubernetes.io/managed-by": "pulumi",
        "workload-type": "training",
        "framework": "jax",
        "sidecar.istio.io/inject": "false",
    }


@pytest.mark.parametrize("controller", ["job", "pod"])
def test_karpenter_does_not_disrupt_a_run_unless_an_annotation_allows_it(controller: str) -> None:
    def annotations(**given: Any) -> dict[str, str]:
        run = objects(controller=controller, **given)[controller]
        pod = run if controller == "pod" else run["spec"]["template"]
        found: dict[str, str] = pod["metadata"]["annotations"]
        return found

    assert annotations() == {"karpenter.sh/do-not-disrupt": "true"}
    assert annotations(annotations={"karpenter.sh/do-not-disrupt": "false"}) == {"karpenter.sh/do-not-disrupt": "false"}


def test_checkpoints_have_a_directory_of_each_run() -> None:
    def directory(run_id: str | None = None, **checkpoints: Any) -> str:
        given = {"claim": "runs", **checkpoints}
        (variable,) = container(checkpoints=given, run_id=run_id)["env"]
        assert variable["name"] == "CHECKPOINT_DIR"
        value: str = variable["value"]
        return value

    assert directory() == "/checkpoints/bert"
    assert directory("2") == "/checkpoints/bert-2"
    assert directory("2", directory="bert") == "/checkpoints/bert"
    assert directory(path="/mnt/") == "/mnt/bert"
    spec = pod_spec(checkpoints={"claim": "runs", "path": "/mnt"})
    assert {"name": "checkpoints", "persistentVolumeClaim": {"claimName": "runs"}} in spec["volumes"]
    assert {"name": "checkpoints", "mountPath": "/mnt"} in spec["containers"][0]["volumeMounts"]


def test_workers_are_the_pods_of_an_indexed_job_with_stable_names() -> None:
    made = objects(**TORCHRUN)
    spec = made["job"]["spec"]
    assert (spec["completionMode"], spec["completions"], spec["parallelism"]) == ("Indexed", 8, 8)
    assert spec["template"]["spec"]["subdomain"] == made["service"]["metadata"]["name"] == "bert-workers"
    assert made["service"]["spec"]["selector"].items() <= spec["template"]["metadata"]["labels"].items()


def test_a_single_worker_has_no_service_and_no_network_policy() -> None:
    assert list(objects()) == ["service-account", "job"]
    assert "subdomain" not in job()["spec"]["template"]["spec"]


def test_a_job_tolerates_the_loss_of_as_many_workers_as_torchrun_does() -> None:
    assert job(**TORCHRUN, min_workers=6)["spec"]["maxFailedIndexes"] == 2
    assert job(**TORCHRUN)["spec"]["maxFailedIndexes"] == 0
    assert "maxFailedIndexes" not in job(workers=8)["spec"]


DISRUPTED = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}


def test_disruptions_do_not_count_as_failures_and_fatal_exit_codes_fail_the_job() -> None:
    assert job()["spec"]["podFailurePolicy"] == {"rules": [DISRUPTED]}
    fatal = {"containerName": "trainer", "operator": "In", "values": [3, 42]}
    rules = job(fatal_exit_codes=[42, 3, 42])["spec"]["podFailurePolicy"]["rules"]
    assert rules == [{"action": "FailJob", "onExitCodes": fatal}, DISRUPTED]


def test_each_of_several_workers_has_its_own_retries() -> None:
    spec = job(**TORCHRUN, retries=2)["spec"]
    assert spec["backoffLimitPerIndex"] == 2
    assert "backoffLimit" not in spec
    assert job(retries=2)["spec"]["backoffLimit"] == 2


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_is_valid_to_kubernetes(option: str) -> None:
    made = objects(**OPTIONS[option])
    assert_valid({role: manifest for role, manifest in made.items() if manifest["kind"] not in CUSTOM})


# Most arguments of a Job with one worker together.
EVERYTHING: dict[str, Any] = {
    "command": ["python", "train.py"],
    "args": ["--lr", "1"],
    "env": {"A": "1"},
    "secret_env": {"TOKEN": {"secret": "hub", "key": "token"}},
    "node_pool": GPU_POOL,
    "gpus": 2,
    "framework": "pytorch",
    "experiment": "lr",
    "labels": {"tier": "gold"},
    "annotations": {"a": "b"},
    "image_pull_secrets": ["registry"],
    "priority_class": "high",
    "volumes": {
        "claim": {"path": "/claim", "claim": "data", "access_mode": "ReadWriteMany"},
        "scratch": {"path": "/scratch", "ephemeral": "50Gi", "storage_class": "fast"},
        "weights": {"path": "/weights", "image": "models/bert:v1"},
        "settings": {"path": "/settings", "config_map": "settings"},
    },
    "shared_memory": "2Gi",
    "init_containers": [
        {"name": "stage", "command": ["fetch"], "resources": {"requests": {"cpu": 1, "memory": "1Gi"}}}
    ],
    "checkpoints": {"claim": "runs", "access_mode": "ReadWriteMany"},
    "retries": 3,
    "deadline_seconds": 3600,
    "queue": "gpus",
    "run_id": "2",
    "security": {"capabilities": ["IPC_LOCK"], "writable_root": True},
}


@pytest.mark.parametrize(
    "given",
    [
        EVERYTHING,
        {**EVERYTHING, "fatal_exit_codes": [3], "workers": 4, "distributed": "torchrun", "min_workers": 2},
        {**EVERYTHING, "queue": None, "controller": "pod"},
        {"workers": 3, "fatal_exit_codes": [3]},
    ],
)
def test_options_together_are_valid_to_kubernetes(given: dict[str, Any]) -> None:
    assert_valid(objects(**given))


def test_the_gpus_of_a_worker_are_those_of_its_node_pool() -> None:
    resources = container(node_pool=NodePool(gpu_resource="amd.com/gpu"), gpus=2)["resources"]
    assert resources["requests"]["amd.com/gpu"] == resources["limits"]["amd.com/gpu"] == "2"
