"""Node pools and tolerations."""

from decimal import Decimal
from typing import Any

import pytest

from components import NodePool, Toleration, TrainingJobArgs
from tests.problems import errors, problems


@pytest.mark.parametrize(
    ("given", "operator"),
    [
        ({}, "Exists"),
        ({"value": "gpu"}, "Equal"),
        ({"value": ""}, "Equal"),
        ({"operator": "Exists"}, "Exists"),
        ({"operator": "Equal"}, "Equal"),
        ({"operator": "Equal", "value": "gpu"}, "Equal"),
    ],
)
def test_the_operator_defaults_to_equal_with_a_value(given: dict[str, Any], operator: str) -> None:
    value = {"value": given["value"]} if "value" in given else {}
    assert Toleration(key="sku", **given).manifest() == {"key": "sku", "operator": operator, **value}


def test_the_effect_of_a_toleration() -> None:
    toleration = Toleration(key="nvidia.com/gpu", effect="NoSchedule")
    assert toleration.manifest() == {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("given", "error", "value"),
    [
        (
            {"tolerations": [{"key": "sku", "operator": "Exists", "value": "gpu"}]},
            ("mutually-exclusive", "tolerations[0].operator"),
            "Equal",
        ),
        ({"gpu_resource": "gpu"}, ("device-without-domain", "gpu_resource"), "nvidia.com/gpu"),
        ({"hourly_cost": -1}, ("out-of-range", "hourly_cost"), None),
        ({"autoscaling": {"max": 0}}, ("out-of-range", "autoscaling.max"), None),
        ({"autoscaling": {}}, ("required", "autoscaling.max"), None),
        ({"image": "Bert:v1"}, ("image-invalid", "image"), "bert:v1"),
        ({"node_selector": {"a b": "c"}}, ("name-invalid", "node_selector.a b"), None),
    ],
)
def test_invalid_arguments(given: dict[str, Any], error: tuple[str, str], value: str | None) -> None:
    (problem,) = problems(lambda: NodePool(**given))
    assert (problem.code, problem.property_path()) == error
    assert problem.value == value


def test_gpus_are_the_pools_own_resource() -> None:
    pool = NodePool(gpu_resource="nvidia.com/mig-1g.10gb", hourly_cost=Decimal("0.71"))
    assert pool.gpus(2) == {"nvidia.com/mig-1g.10gb": "2"}
    assert pool.gpus(0) == {}
    assert NodePool().gpus(2) == {}


def test_python_passes_the_pool_itself_and_not_its_name() -> None:
    pool = NodePool(image="a:b")
    assert TrainingJobArgs(namespace="ml", node_pool=pool).node_pool is pool
    assert TrainingJobArgs.of({"namespace": "ml", "node_pool": {"image": "a:b"}}).node_pool == pool
    found = errors(lambda: TrainingJobArgs.of({"namespace": "ml", "image": "a:b", "node_pool": "gpu"}))
    assert found == [("reference-by-name", "node_pool")]
