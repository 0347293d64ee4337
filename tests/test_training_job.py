"""TrainingJob: its manifests, what it registers and what it refuses."""

from typing import Any

import pulumi
import pytest

from components import ArgumentError, NodePool, TeamNamespace, Toleration, TrainingJob, TrainingJobArgs
from components.training_job.manifests import manifests
from tests.mocks import deploy
from tests.schemas import assert_valid
from tests.trainings import CUSTOM, OPTIONS, container, job, objects, pod_spec
from tests.workloads import named

GPU_POOL = NodePool(
    image="pytorch/pytorch:2.1.0-cuda12.1-cudnn8-runtime",
    node_selector={"cloud.google.com/gke-accelerator": "nvidia-l4"},
    tolerations=[Toleration(key="nvidia.com/gpu", effect="NoSchedule")],
    gpu_resource="nvidia.com/gpu",
    runtime_class_name="nvidia",
)


def test_a_job_starts_a_new_pod_when_one_fails_and_is_never_collected() -> None:
    spec = job(retries=3, deadline_seconds=3600)["spec"]
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    assert (spec["backoffLimit"], spec["activeDeadlineSeconds"]) == (3, 3600)
    assert "ttlSecondsAfterFinished" not in spec


def test_a_pod_is_restarted_in_place() -> None:
    args = TrainingJobArgs(namespace="lab", image="trainer:v1", controller="pod", deadline_seconds=60)
    objects = manifests("bert", args, args.tenant())
    assert "job" not in objects
    assert objects["pod"]["spec"]["restartPolicy"] == "OnFailure"
    assert objects["pod"]["spec"]["activeDeadlineSeconds"] == 60
    assert objects["pod"]["metadata"]["name"] == "bert"


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


def test_the_app_label_is_the_components_name_by_default() -> None:
    assert job()["metadata"]["labels"]["app"] == "bert"


def test_the_node_pool_brings_image_selector_tolerations_runtime_class_and_gpus() -> None:
    args = TrainingJobArgs(namespace="lab", node_pool=GPU_POOL, gpus=2)
    spec = manifests("bert", args, args.tenant())["job"]["spec"]["template"]["spec"]
    assert spec["nodeSelector"] == {"cloud.google.com/gke-accelerator": "nvidia-l4"}
    assert spec["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    assert spec["runtimeClassName"] == "nvidia"
    main = spec["containers"][0]
    assert main["image"] == "pytorch/pytorch:2.1.0-cuda12.1-cudnn8-runtime"
    assert main["resources"]["requests"]["nvidia.com/gpu"] == "2"
    assert main["resources"]["limits"]["nvidia.com/gpu"] == "2"


def test_the_workloads_own_image_wins() -> None:
    assert container(node_pool=GPU_POOL, image="mine:v2")["image"] == "mine:v2"


def test_shared_memory_is_half_of_the_memory_limit_by_default() -> None:
    volumes = pod_spec(resources={"limits": {"memory": "4Gi"}})["volumes"]
    assert {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "2048Mi"}} in volumes
    assert {"name": "shm", "mountPath": "/dev/shm"} in container()["volumeMounts"]


def test_environment_plain_and_from_a_secret() -> None:
    env = container(env={"EPOCHS": 3, "FAST": True}, secret_env={"TOKEN": {"secret": "hub", "key": "token"}})["env"]
    assert env == [
        {"name": "EPOCHS", "value": "3"},
        {"name": "FAST", "value": "true"},
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "hub", "key": "token"}}},
    ]


def test_init_containers_see_the_same_volumes_and_variables() -> None:
    stage = {"name": "stage", "command": ["fetch"], "env": {"B": "2"}, "resources": {"requests": {"cpu": 1}}}
    volumes = {"data": {"path": "/data", "ephemeral": "50Gi"}}
    (init,) = pod_spec(env={"A": "1"}, init_containers=[stage], volumes=volumes)["initContainers"]
    assert init["image"] == "trainer:v1"
    assert [variable["name"] for variable in init["env"]] == ["A", "B"]
    assert {"name": "data", "mountPath": "/data"} in init["volumeMounts"]
    assert init["securityContext"]["allowPrivilegeEscalation"] is False


def test_a_variable_of_an_init_container_takes_the_place_of_the_workloads_own() -> None:
    stage = {"name": "stage", "env": {"A": "$(B)", "TOKEN": "none"}, "resources": {"requests": {"cpu": 1}}}
    secret = {"TOKEN": {"secret": "hub", "key": "token"}}
    spec = pod_spec(env={"A": "1", "B": "2"}, secret_env=secret, init_containers=[stage])
    assert spec["initContainers"][0]["env"] == [
        {"name": "B", "value": "2"},
        {"name": "A", "value": "$(B)"},
        {"name": "TOKEN", "value": "none"},
    ]
    assert [variable["name"] for variable in spec["containers"][0]["env"]] == ["A", "B", "TOKEN"]


@pytest.mark.parametrize(
    ("volume", "source", "read_only"),
    [
        ({"claim": "data"}, {"persistentVolumeClaim": {"claimName": "data"}}, False),
        ({"claim": "data", "read_only": True}, {"persistentVolumeClaim": {"claimName": "data"}}, True),
        ({"config_map": "settings"}, {"configMap": {"name": "settings"}}, True),
        ({"secret": "keys"}, {"secret": {"secretName": "keys"}}, True),
        ({"image": "models/bert:v1"}, {"image": {"reference": "models/bert:v1", "pullPolicy": "Always"}}, True),
        ({"ephemeral": "5Gi"}, {"emptyDir": {"sizeLimit": "5Gi"}}, False),
    ],
)
def test_volumes(volume: dict[str, Any], source: dict[str, Any], read_only: bool) -> None:
    spec = pod_spec(volumes={"data": {"path": "/data", **volume}})
    assert {"name": "data", **source} in spec["volumes"]
    (mount,) = [mount for mount in spec["containers"][0]["volumeMounts"] if mount["name"] == "data"]
    assert mount.get("readOnly", False) is read_only


def test_images_of_volumes_are_pulled_as_those_of_containers_are() -> None:
    data = {"data": {"path": "/data", "image": "models/bert:v1"}}
    volumes = pod_spec(volumes=data, image_pull_policy="Never")["volumes"]
    assert volumes[-1]["image"] == {"reference": "models/bert:v1", "pullPolicy": "Never"}


def test_an_ephemeral_volume_of_a_storage_class_is_a_claim_of_the_pod() -> None:
    volumes = pod_spec(volumes={"data": {"path": "/data", "ephemeral": "1Ti", "storage_class": "fast"}})["volumes"]
    claim = volumes[-1]["ephemeral"]["volumeClaimTemplate"]["spec"]
    assert claim["storageClassName"] == "fast"
    assert claim["resources"] == {"requests": {"storage": "1Ti"}}


def test_security_opt_outs_are_named() -> None:
    spec = pod_spec(
        security={"run_as_root": True, "writable_root": True, "capabilities": ["IPC_LOCK"], "api_token": True}
    )
    assert spec["securityContext"]["runAsUser"] == 0
    assert spec["securityContext"]["runAsNonRoot"] is False
    assert spec["automountServiceAccountToken"] is True
    context = spec["containers"][0]["securityContext"]
    assert context["readOnlyRootFilesystem"] is False
    assert context["capabilities"] == {"drop": ["ALL"], "add": ["IPC_LOCK"]}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"namespace": None}, "team: a workload has a team or a namespace: neither is given"),
        ({"image": None}, "image: no image: neither the workload nor its node pool names one"),
        ({"gpus": 1}, "gpus: GPUs need a node pool that has them"),
        ({"gpus": 1, "node_pool": NodePool()}, "gpus: the node pool has no GPUs"),
        ({"gpus": -1}, "gpus: must be at least 0 (got -1)"),
        ({"shared_memory": "32Gi"}, "shared_memory: 32Gi is above the memory limit of 16Gi"),
        ({"resources": {"requests": {"cpu": 9}, "limits": {"cpu": 8}}}, "resources.requests.cpu: 9 is above the limit"),
        ({"resources": {"limits": {"nvidia.com/gpu": 1}}}, "GPUs are counted by the workload's gpus"),
        ({"resources": {"limits": {"ram": "1Gi"}}}, "resources.limits.ram: is not a resource of a container"),
        ({"init_containers": [{"name": "a", "resources": {}}]}, "init_containers[0].resources: is empty"),
        ({"init_containers": [{"name": "a"}]}, "init_containers[0].resources: is required"),
        ({"labels": {"framework": "jax"}}, "labels.framework: is set from an argument of its own"),
        ({"labels": {"app": "-x"}}, "labels.app: '-x' is refused by Kubernetes"),
        ({"env": {"1X": "a"}}, "env.1X: '1X' is refused by Kubernetes"),
        ({"volumes": {"d": {"path": "data", "claim": "c"}}}, "volumes.d.path: string should match pattern"),
        ({"volumes": {"d": {"path": "/d"}}}, "volumes.d: a volume has one source: it has none"),
        ({"volumes": {"d": {"path": "/tmp", "claim": "c"}}}, "volumes.d.path: /tmp is taken by the writable /tmp"),
        ({"volumes": {"d": {"path": "/tmp/", "claim": "c"}}}, "volumes.d.path: /tmp/ is taken by the writable /tmp"),
        ({"volumes": {"d": {"path": "//dev/shm", "claim": "c"}}}, "volumes.d.path: //dev/shm is taken by the shared"),
        (
            {"volumes": {"d": {"path": "/data", "claim": "c"}, "e": {"path": "/data/", "claim": "c"}}},
            "volumes.e.path: /data/ is taken by volume d",
        ),
        ({"volumes": {"d": {"path": "/", "claim": "c"}}}, "volumes.d.path: / would hide all that is in the image"),
        ({"volumes": {"d": {"path": "/a/..", "claim": "c"}}}, "volumes.d.path: /a/.. would hide all"),
        ({"volumes": {"tmp": {"path": "/d", "claim": "c"}}}, "volumes.tmp: is the name of a volume that every pod has"),
        ({"volumes": {"shm": {"path": "/d", "claim": "c"}}}, "volumes.shm: is the name of a volume that every pod has"),
        (
            {"volumes": {"d": {"path": "/d", "ephemeral": "1Gi", "access_mode": "ReadWriteMany"}}},
            "volumes.d.access_mode: goes with a claim",
        ),
        ({"volumes": {"d": {"path": "/d", "ephemeral": "512m"}}}, "volumes.d.ephemeral: 512m is a part of a byte"),
        ({"volumes": {"d": {"path": "/d", "ephemeral": 0}}}, "volumes.d.ephemeral: must be more than 0"),
        ({"shared_memory": "512m"}, "shared_memory: 512m is a part of a byte: m does not stand for megabytes"),
        ({"resources": {"limits": {"memory": "512m"}}}, "resources.limits.memory: 512m is a part of a byte"),
        ({"resources": {"requests": {"memory": "0.5"}}}, "resources.requests.memory: 0.5 is less than a byte"),
        (
            {"resources": {"limits": {"rdma/hca": "500m"}}},
            "resources.limits.rdma/hca: counts devices: 500m is not a whole number",
        ),
        (
            {"resources": {"requests": {"rdma/hca": 1}}},
            "the request has to equal the limit\n  set limits.rdma/hca to 1",
        ),
        (
            {"resources": {"requests": {"hugepages-2Mi": "2Mi"}, "limits": {"hugepages-2Mi": "4Mi"}}},
            "resources.requests.hugepages-2Mi: Kubernetes gives all of it or nothing",
        ),
        (
            {
                "gpus": 1,
                "node_pool": NodePool(gpu_resource="google.com/tpu"),
                "resources": {"limits": {"google.com/tpu": 4}},
            },
            'resources.limits["google.com/tpu"]: is counted by gpus',
        ),
        (
            {"env": {"A": "1"}, "secret_env": {"A": {"secret": "s", "key": "k"}}},
            "secret_env.A: is a variable of env, too",
        ),
        (
            {"init_containers": [{"name": "trainer", "resources": {"requests": {"cpu": 1}}}]},
            "'trainer' is taken by the main",
        ),
        ({"team": ["nlp"], "namespace": None}, "team: must be a TeamNamespace"),
        ({"team": "nlp", "namespace": None}, "team: 'nlp' is a name: only a stack's configuration knows teams by name"),
        ({"node_pool": "gpu"}, "node_pool: 'gpu' is a name: only a stack's configuration knows pools by name"),
        ({"namespace": "kube-system"}, "namespace: 'kube-system' belongs to Kubernetes itself"),
        ({"retries": True}, "retries: must be a whole number (got true)"),
        ({"controller": "cron"}, "controller: must be one of 'job' or 'pod' (got 'cron')"),
    ],
)
def test_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError) as refusal:
        TrainingJobArgs(**{"namespace": "lab", "image": "trainer:v1", **arguments})
    assert message in str(refusal.value)


def test_resources_that_kubernetes_takes_are_taken() -> None:
    limits = {"memory": "1.5Gi", "rdma/hca": "2", "hugepages-2Mi": "4Mi"}
    given = {"requests": {"rdma/hca": "2000m", "memory": 0}, "limits": limits}
    assert container(resources=given)["resources"] == {
        "requests": {"rdma/hca": "2000m", "memory": "0"},
        "limits": limits,
    }


def test_a_memory_limit_without_room_for_it_brings_no_shared_memory() -> None:
    assert [volume["name"] for volume in pod_spec(resources={"limits": {"memory": "512"}})["volumes"]] == ["tmp"]


def test_registers_its_children_and_waits_for_its_team() -> None:
    def program() -> None:
        team = TeamNamespace("nlp", {"quota": {"pods": 5}})
        TrainingJob("bert", {"team": team, "image": "trainer:v1", "timeout_seconds": 1200})

    deployment = deploy(program)
    assert deployment.children("bert") == {
        "bert-service-account": "kubernetes:core/v1:ServiceAccount",
        "bert-job": "kubernetes:batch/v1:Job",
    }
    child = deployment["bert-job"]
    assert child.inputs["metadata"]["namespace"] == "nlp"
    assert child.inputs["metadata"]["labels"]["team"] == "nlp"
    assert {urn.split("::")[-1] for urn in child.request.dependencies} >= {"nlp-namespace", "nlp-quota"}
    assert child.request.customTimeouts.create == "1200s"
    assert deployment.outputs["bert"] == {
        "jobName": "bert",
        "namespace": "nlp",
        "selector": "batch.kubernetes.io/job-name=bert",
        "logs": "kubectl logs --namespace nlp --follow --prefix --max-log-requests 17 "
        "--selector batch.kubernetes.io/job-name=bert",
    }


def test_the_arguments_may_be_a_model_or_a_mapping_in_either_spelling() -> None:
    for args in (
        TrainingJobArgs(namespace="lab", image="trainer:v1", shared_memory="1Gi"),
        {"namespace": "lab", "image": "trainer:v1", "shared_memory": "1Gi"},
        {"namespace": "lab", "image": "trainer:v1", "sharedMemory": "1Gi"},
    ):
        deployment = deploy(lambda args=args: TrainingJob("bert", args))  # type: ignore[misc]
        volumes = deployment["bert-job"].inputs["spec"]["template"]["spec"]["volumes"]
        assert volumes[1]["emptyDir"]["sizeLimit"] == "1Gi"


def test_values_that_only_exist_at_deployment_time() -> None:
    def program() -> None:
        image, namespace = pulumi.Output.from_input("built:abc"), pulumi.Output.from_input("lab")
        TrainingJob("bert", {"image": image, "namespace": namespace})

    child = deploy(program)["bert-job"]
    assert child.inputs["spec"]["template"]["spec"]["containers"][0]["image"] == "built:abc"
    assert child.inputs["metadata"]["namespace"] == "lab"


def test_a_preview_in_which_nothing_is_known_yet() -> None:
    def program() -> None:
        team = TeamNamespace("nlp", {})
        TrainingJob("bert", {"team": team, "image": "trainer:v1"})

    deployment = deploy(program, preview=True)
    assert "bert-job" in deployment.names()


def test_children_use_the_components_provider_and_not_its_other_options() -> None:
    def program() -> None:
        provider = pulumi.ProviderResource("kubernetes", "other-cluster", {})
        options = pulumi.ResourceOptions(providers=[provider], aliases=[pulumi.Alias(name="old")], protect=True)
        TrainingJob("bert", {"namespace": "lab", "image": "trainer:v1"}, options)

    child = deploy(program)["bert-job"]
    assert "other-cluster" in child.request.provider
    assert not list(child.request.aliases)


def test_the_labels_that_a_job_keeps_for_itself_can_change_while_its_pods_run() -> None:
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
def test_a_run_is_not_moved_to_save_a_node_unless_the_user_says_so(controller: str) -> None:
    def annotations(**given: Any) -> dict[str, str]:
        run = objects(controller=controller, **given)[controller]
        pod = run if controller == "pod" else run["spec"]["template"]
        found: dict[str, str] = pod["metadata"]["annotations"]
        return found

    assert annotations() == {"karpenter.sh/do-not-disrupt": "true"}
    assert annotations(annotations={"karpenter.sh/do-not-disrupt": "false"}) == {"karpenter.sh/do-not-disrupt": "false"}


def test_checkpoints_are_where_the_environment_says_and_apart_for_each_run() -> None:
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


def test_a_priority_class() -> None:
    assert pod_spec(priority_class="high")["priorityClassName"] == "high"


# Every argument of a job once, beside those of several workers.
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


def test_every_argument_is_among_the_options() -> None:
    # Pulumi's own, and where it lives: they are in no manifest.
    assert named(OPTIONS) == set(TrainingJobArgs.model_fields) - {"team", "namespace", "image", "timeout_seconds"}


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_is_valid_to_kubernetes(option: str) -> None:
    made = objects(**OPTIONS[option])
    assert_valid({role: manifest for role, manifest in made.items() if manifest["kind"] not in CUSTOM})


@pytest.mark.parametrize(
    "given",
    [
        EVERYTHING,
        {**EVERYTHING, "fatal_exit_codes": [3], "workers": 4, "distributed": "torchrun", "min_workers": 2},
        {**EVERYTHING, "queue": None, "controller": "pod"},
        {"previous_runs": "keep"},
    ],
)
def test_kubernetes_knows_every_field(given: dict[str, Any]) -> None:
    assert_valid(objects(**given))


def test_two_thousand_training_jobs_in_one_program() -> None:
    def program() -> None:
        team = TeamNamespace("nlp", {"quota": {"pods": 5000}})
        for number in range(2000):
            TrainingJob(f"job-{number}", {"team": team, "image": "trainer:v1"})

    names = deploy(program).names()
    assert sum(name.endswith("-job") for name in names) == 2000
