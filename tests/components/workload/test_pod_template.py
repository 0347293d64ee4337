"""The pod template: containers, volumes, variables and the service account."""

from decimal import Decimal
from typing import Any

import pytest

from components import ModelServiceArgs, Resources, TrainingJobArgs, Volume
from components.workload.pod_template import PodExtras, fraction_of_memory, pod_template, service_account
from tests.workloads import GPU_POOL, OPTIONS

METADATA = {"name": "bert", "namespace": "ml"}


def _args(**arguments: Any) -> TrainingJobArgs:
    return TrainingJobArgs.of({"namespace": "ml", "image": "trainer:v1", **arguments})


def _template(extras: PodExtras | None = None, **arguments: Any) -> dict[str, Any]:
    return pod_template("bert", _args(**arguments), extras or PodExtras({"app": "bert"}))


def _spec(extras: PodExtras | None = None, **arguments: Any) -> dict[str, Any]:
    spec: dict[str, Any] = _template(extras, **arguments)["spec"]
    return spec


def _container(extras: PodExtras | None = None, **arguments: Any) -> dict[str, Any]:
    main: dict[str, Any] = _spec(extras, **arguments)["containers"][0]
    return main


def test_a_pod_without_options() -> None:
    template = _template()
    assert template["metadata"] == {"labels": {"app": "bert"}}
    assert set(template["spec"]) == {
        "containers",
        "volumes",
        "securityContext",
        "serviceAccountName",
        "automountServiceAccountToken",
        "enableServiceLinks",
    }
    (main,) = template["spec"]["containers"]
    assert set(main) == {"name", "image", "resources", "imagePullPolicy", "securityContext", "volumeMounts"}
    assert template["spec"]["serviceAccountName"] == "bert"
    assert template["spec"]["enableServiceLinks"] is False
    assert template["spec"]["automountServiceAccountToken"] is False


def test_every_pod_has_a_writable_directory() -> None:
    assert _spec()["volumes"] == [{"name": "tmp", "emptyDir": {}}]
    assert _container()["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]


def test_shared_memory_is_a_memory_backed_volume() -> None:
    spec = _spec(PodExtras({}, shared_memory="2Gi"))
    assert {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "2Gi"}} in spec["volumes"]
    assert {"name": "shm", "mountPath": "/dev/shm"} in spec["containers"][0]["volumeMounts"]


def test_command_and_arguments() -> None:
    main = _container(**OPTIONS["command"])
    assert (main["command"], main["args"]) == (["python", "run.py"], ["--lr", "1"])


def test_variables_of_the_component_follow_those_of_the_user() -> None:
    extras = PodExtras({}, env=[{"name": "B", "value": "2"}])
    secret = {"TOKEN": {"secret": "hub", "key": "token"}}
    assert _container(extras, env={"A": 1}, secret_env=secret)["env"] == [
        {"name": "A", "value": "1"},
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "hub", "key": "token"}}},
        {"name": "B", "value": "2"},
    ]


def test_the_node_pool_sets_selector_tolerations_runtime_class_and_gpus() -> None:
    spec = _spec(node_pool=GPU_POOL, gpus=2)
    assert spec["nodeSelector"] == {"cloud.google.com/gke-accelerator": "nvidia-l4"}
    assert spec["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    assert spec["runtimeClassName"] == "nvidia"
    resources = spec["containers"][0]["resources"]
    assert resources["requests"]["nvidia.com/gpu"] == resources["limits"]["nvidia.com/gpu"] == "2"
    assert "nvidia.com/gpu" not in str(_spec(node_pool=GPU_POOL)["containers"])


def test_volumes_are_mounted_into_all_containers() -> None:
    extras = PodExtras({}, volumes={"model": Volume(path="/models", claim="bert")})
    spec = _spec(extras, **OPTIONS["volumes"], **OPTIONS["an init container"], image_pull_policy="IfNotPresent")
    names = [volume["name"] for volume in spec["volumes"]]
    assert names == ["tmp", "claim", "scratch", "cache", "weights", "settings", "keys", "model"]
    for container in (*spec["containers"], *spec["initContainers"]):
        assert [mount["name"] for mount in container["volumeMounts"]] == names
    (weights,) = (volume["image"] for volume in spec["volumes"] if volume["name"] == "weights")
    assert weights["pullPolicy"] == "IfNotPresent"


def test_an_init_container_overrides_variables_of_the_workload() -> None:
    stage = {**OPTIONS["an init container"]["init_containers"][0], "image": None, "env": {"A": "2", "B": "3"}}
    (init,) = _spec(env={"A": "1", "C": "1"}, init_containers=[stage])["initContainers"]
    assert init["image"] == "trainer:v1"
    assert init["env"] == [
        {"name": "C", "value": "1"},
        {"name": "A", "value": "2"},
        {"name": "B", "value": "3"},
    ]
    assert init["resources"] == {"requests": {"cpu": "1", "memory": "1Gi"}}


def test_security_contexts_are_those_of_the_argument() -> None:
    args = _args(security={"run_as_user": 1000, "writable_root": True, "api_token": True})
    spec = pod_template("bert", args, PodExtras({}))["spec"]
    assert spec["securityContext"] == args.security.of_pod()
    assert spec["containers"][0]["securityContext"] == args.security.of_container()
    assert spec["automountServiceAccountToken"] is True


def test_the_users_annotations_override_those_of_the_component() -> None:
    template = _template(PodExtras({}, annotations={"a": "1", "b": "1"}), annotations={"b": "2"})
    assert template["metadata"]["annotations"] == {"a": "1", "b": "2"}


def test_additional_fields_of_the_component() -> None:
    spec = _spec(PodExtras({}, main={"ports": []}, spec={"restartPolicy": "Never"}))
    assert spec["restartPolicy"] == "Never"
    assert spec["containers"][0]["ports"] == []


def test_pull_secrets_and_priority_class() -> None:
    spec = _spec(image_pull_secrets=["registry"], priority_class="high")
    assert spec["imagePullSecrets"] == [{"name": "registry"}]
    assert spec["priorityClassName"] == "high"


def test_a_workload_has_a_service_account_without_a_token() -> None:
    account = service_account("bert", _args(), METADATA)["service-account"]
    assert account == {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": METADATA,
        "automountServiceAccountToken": False,
    }


def test_an_existing_service_account_is_used() -> None:
    assert service_account("bert", _args(service_account="reader"), METADATA) == {}
    assert _spec(service_account="reader")["serviceAccountName"] == "reader"


def test_the_name_of_the_main_container_is_that_of_the_component() -> None:
    service = ModelServiceArgs(namespace="ml", image="server:v1")
    template = pod_template("bert", service, PodExtras({}))
    assert template["spec"]["containers"][0]["name"] == "server"
    assert _container()["name"] == "trainer"


@pytest.mark.parametrize(
    ("limits", "size"),
    [({}, None), ({"memory": "16Gi"}, "8192Mi"), ({"memory": "1Mi"}, None), ({"memory": "5Mi"}, "2Mi")],
)
def test_a_fraction_of_the_memory_limit_in_whole_mebibytes(limits: dict[str, str], size: str | None) -> None:
    assert fraction_of_memory(Resources(limits=limits), Decimal("0.5")) == size
