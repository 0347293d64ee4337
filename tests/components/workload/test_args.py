"""The arguments that all workloads share: combinations, defaults and the team."""

from typing import Any

import pytest

from components import (
    ModelServiceArgs,
    NodePool,
    Resources,
    TeamNamespace,
    TrainingJob,
    TrainingJobArgs,
)
from components.training_job.manifests import manifests
from tests.mocks import deploy
from tests.problems import errors, problems

GPU_POOL = NodePool(image="trainer:v1", gpu_resource="nvidia.com/gpu")
CPU_POOL = NodePool(image="trainer:v1")
STAGE = {"name": "stage", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}


def _job(**arguments: Any) -> TrainingJobArgs:
    return TrainingJobArgs.of({"namespace": "ml", "image": "trainer:v1", **arguments})


@pytest.mark.parametrize(
    ("arguments", "code", "path", "value"),
    [
        ({"namespace": None}, "exactly-one-of", "team", None),
        ({"image": None}, "image-missing", "image", None),
        ({"image": None, "node_pool": NodePool()}, "image-missing", "image", None),
        ({"gpus": 1}, "requires", "gpus", None),
        ({"gpus": 1, "node_pool": CPU_POOL}, "requires", "gpus", 0),
        ({"gpus": 65}, "out-of-range", "gpus", None),
        ({"gpus": -1}, "out-of-range", "gpus", None),
        (
            {
                "gpus": 1,
                "node_pool": NodePool(gpu_resource="example.com/accelerator"),
                "resources": {"limits": {"example.com/accelerator": 1}},
            },
            "derived",
            'resources.limits["example.com/accelerator"]',
            None,
        ),
        ({"shared_memory": "20Gi"}, "exceeds", "shared_memory", "16Gi"),
        ({"shared_memory": "0"}, "quantity-zero", "shared_memory", None),
        ({"shared_memory": "512m"}, "quantity-fraction", "shared_memory", "512M"),
        ({"labels": {"workload-type": "x"}}, "managed", "labels.workload-type", None),
        ({"labels": {"framework": "x"}}, "derived", "labels.framework", None),
        ({"labels": {"app": "a b"}}, "name-invalid", "labels.app", "a-b"),
        ({"init_containers": [{**STAGE, "name": "trainer"}]}, "name-taken", "init_containers[0].name", None),
        ({"init_containers": [STAGE, STAGE]}, "name-taken", "init_containers[1].name", None),
        ({"volumes": {"tmp": {"path": "/data", "claim": "a"}}}, "reserved", "volumes.tmp", None),
        ({"volumes": {"shm": {"path": "/data", "claim": "a"}}}, "reserved", "volumes.shm", None),
        ({"volumes": {"data": {"path": "/tmp/", "claim": "a"}}}, "mount-path-taken", "volumes.data.path", None),
        ({"volumes": {"data": {"path": "/dev/shm", "claim": "a"}}}, "mount-path-taken", "volumes.data.path", None),
        (
            {"volumes": {"a": {"path": "/data", "claim": "a"}, "b": {"path": "//data", "claim": "b"}}},
            "mount-path-taken",
            "volumes.b.path",
            None,
        ),
        (
            {"env": {"A": "1"}, "secret_env": {"A": {"secret": "s", "key": "k"}}},
            "mutually-exclusive",
            "secret_env.A",
            None,
        ),
        ({"image_pull_policy": "Sometimes"}, "not-one-of", "image_pull_policy", None),
        ({"priority_class": "High"}, "name-invalid", "priority_class", "high"),
    ],
)
def test_invalid_arguments(arguments: dict[str, Any], code: str, path: str, value: Any) -> None:
    (found,) = problems(lambda: _job(**arguments))
    assert (found.code, found.property_path(), found.value) == (code, path, value)


def test_all_problems_are_reported_together() -> None:
    found = errors(
        lambda: _job(namespace=None, image=None, gpus=1, labels={"framework": "x"}, restart="group", env={"A": "1"})
    )
    assert found == [
        ("exactly-one-of", "team"),
        ("image-missing", "image"),
        ("requires", "gpus"),
        ("derived", "labels.framework"),
        ("requires", "restart"),
    ]


def test_a_team_label_is_valid_in_a_namespace_without_a_team() -> None:
    assert _job(labels={"team": "nlp"}).labels == {"team": "nlp"}


def test_the_team_label_is_derived_from_the_team() -> None:
    def program() -> None:
        TrainingJob("bert", {"team": TeamNamespace("nlp", {}), "image": "a:b", "labels": {"team": "x"}})

    assert errors(lambda: deploy(program)) == [("derived", "labels.team")]


def test_the_image_of_the_node_pool_is_the_default() -> None:
    args = _job(image=None, node_pool=CPU_POOL)
    spec = manifests("bert", args, args.tenant())["job"]["spec"]["template"]["spec"]
    assert spec["containers"][0]["image"] == "trainer:v1"


def test_the_components_resources_are_the_default_of_a_workload_that_sets_none() -> None:
    assert _job().main_resources() == _job().default_resources()
    given = Resources(limits={"memory": "1Gi"})
    assert _job(resources=given).main_resources() == given


def test_a_limit_below_the_shared_memory_is_that_of_the_default_resources_too() -> None:
    assert errors(lambda: _job(shared_memory="16Gi")) == []
    assert errors(lambda: _job(shared_memory="17Gi", resources={"requests": {"cpu": "1"}})) == []


def test_a_service_without_pods_needs_no_image() -> None:
    service = ModelServiceArgs.of(
        {"namespace": "ml", "service": {"type": "ExternalName", "external_name": "a.example.com"}}
    )
    assert not service.has_pods()


def test_variables_are_listed_with_the_argument_that_sets_them() -> None:
    args = _job(
        env={"A": "1"},
        secret_env={"B": {"secret": "s", "key": "k"}},
        init_containers=[{**STAGE, "env": {"C": "1"}}],
    )
    assert [(path, list(names)) for path, names in args.variables()] == [
        (("env",), ["A"]),
        (("secretEnv",), ["B"]),
        (("initContainers", 0, "env"), ["C"]),
    ]
