"""The project's program, run under mocks for each committed stack."""

from typing import Any

import pytest

from tests.lesson import LABELS, MANIFESTS, NAMESPACES, missing
from tests.program import objects, run
from tests.schemas import assert_valid


def test_prod_contains_every_field_of_the_lessons_manifests() -> None:
    made = objects(run("prod"))
    for manifest in MANIFESTS:
        actual = made[manifest["kind"], manifest["metadata"]["name"]]
        assert missing(manifest, actual) == [], manifest["kind"]


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_every_object_is_valid(stack: str) -> None:
    assert_valid({f"{kind} {name}": manifest for (kind, name), manifest in objects(run(stack)).items()})


def test_the_lessons_labels_are_set() -> None:
    used = {label for manifest in objects(run("prod")).values() for label in manifest["metadata"]["labels"]}
    assert used >= LABELS


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_every_stack_has_the_lessons_namespaces(stack: str) -> None:
    assert sorted(name for kind, name in objects(run(stack)) if kind == "Namespace") == NAMESPACES


def test_dev_and_prod_have_the_same_resources_and_differ_in_configuration_only() -> None:
    dev, prod = run("dev"), run("prod")
    assert sorted(dev.names()) == sorted(prod.names())
    dev_objects, prod_objects = objects(dev), objects(prod)
    serving = "Deployment", "model-serving"
    assert (dev_objects[serving]["spec"]["replicas"], prod_objects[serving]["spec"]["replicas"]) == (1, 3)
    api = "Service", "model-api"
    assert (dev_objects[api]["spec"]["type"], prod_objects[api]["spec"]["type"]) == ("ClusterIP", "LoadBalancer")
    limits = "spec", "containers", 0, "resources", "limits"
    assert "nvidia.com/gpu" not in _at(dev_objects["Pod", "pytorch-training"], limits)
    assert _at(prod_objects["Pod", "pytorch-training"], limits)["nvidia.com/gpu"] == "1"


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def test_outputs() -> None:
    assert run("prod").exports == {
        "namespaces": {name: name for name in NAMESPACES},
        "jobs": {"pytorch-training": "pytorch-training", "image-classifier": "image-classifier"},
        "services": {
            "model-serving": {
                "url": "http://model-api.ml-serving.svc.cluster.local",
                "externalAddress": "203.0.113.7",
            }
        },
        "nodeImages": {"gpu": "COS_CONTAINERD", "cpu": "COS_CONTAINERD"},
    }


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_a_preview_of_the_first_deployment(stack: str) -> None:
    assert "model-serving-service" in run(stack, preview=True).names()


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_every_resource_is_a_child_of_a_component(stack: str) -> None:
    for resource in run(stack).resources:
        expected = "ml-platform:index:" if resource.request.custom else "pulumi:pulumi:Stack"
        assert expected in resource.parent, resource.name
