"""Autoscaling of a ModelService."""

from typing import Any

import pytest

from tests.model_services import OPTIONS, arguments, objects
from tests.problems import errors, problems


def test_the_autoscaler_sets_the_number_of_pods() -> None:
    made = objects(autoscale={"min": 2, "max": 6, "cpu": 70})
    assert "replicas" not in made["deployment"]["spec"]
    spec = made["autoscaler"]["spec"]
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "bert"}
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 6)
    target = {"type": "Utilization", "averageUtilization": 70}
    assert spec["metrics"] == [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]


def test_a_metric_of_the_pods() -> None:
    (metric,) = objects(**OPTIONS["autoscale by a metric"])["autoscaler"]["spec"]["metrics"]
    target = {"type": "AverageValue", "averageValue": "500m"}
    assert metric == {"type": "Pods", "pods": {"metric": {"name": "requests_waiting"}, "target": target}}


def test_keda_scales_to_zero() -> None:
    made = objects(**OPTIONS["autoscale to zero"])
    assert "autoscaler" not in made
    assert made["scaled-object"]["spec"] == {
        "scaleTargetRef": {"name": "bert"},
        "minReplicaCount": 0,
        "maxReplicaCount": 4,
        "triggers": [
            {"type": "prometheus", "metadata": {"threshold": "5"}, "authenticationRef": {"name": "prometheus"}}
        ],
    }


@pytest.mark.parametrize(
    ("autoscale", "code", "path"),
    [
        ({"max": 3}, "exactly-one-of", "autoscale"),
        ({"max": 3, "cpu": 70, "metric": {"name": "a", "target": 1}}, "exactly-one-of", "autoscale"),
        ({"min": 4, "max": 3, "cpu": 70}, "exceeds", "autoscale.min"),
        ({"min": 0, "max": 3, "cpu": 70}, "requires", "autoscale.min"),
        ({"max": 2**31, "cpu": 70}, "out-of-range", "autoscale.max"),
        ({"max": 3, "metric": {"name": "a/b", "target": 1}}, "name-invalid", "autoscale.metric.name"),
        ({"max": 3, "metric": {"name": "a", "target": "0m"}}, "quantity-zero", "autoscale.metric.target"),
    ],
)
def test_invalid_autoscaling(autoscale: dict[str, Any], code: str, path: str) -> None:
    assert errors(lambda: arguments(autoscale=autoscale)) == [(code, path)]


@pytest.mark.parametrize(("minimum", "value"), [(4, 3), (0, 1)])
def test_a_valid_minimum(minimum: int, value: int) -> None:
    (problem,) = problems(lambda: arguments(autoscale={"min": minimum, "max": 3, "cpu": 70}))
    assert problem.value == value
