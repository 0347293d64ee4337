"""The LimitRange: defaults, maxima and their order."""

from typing import Any

import pytest

from components import ContainerLimits
from components.team_namespace.limit_range import default_limits
from tests.problems import problems
from tests.teams import objects


def test_the_defaults_are_those_that_kubernetes_would_set() -> None:
    made = objects(container_limits={"default": {"cpu": "1"}, "max": {"cpu": "4", "memory": "8Gi"}})
    (limit,) = made["container-limits"]["spec"]["limits"]
    assert limit == {
        "type": "Container",
        "max": {"cpu": "4", "memory": "8Gi"},
        "default": {"cpu": "1", "memory": "8Gi"},
        "defaultRequest": {"cpu": "1", "memory": "8Gi"},
    }


@pytest.mark.parametrize(
    ("quota", "requested", "default"),
    [
        ({}, {"cpu": "100m", "memory": "256Mi"}, {"memory": "1Gi"}),
        ({"limits.cpu": "8"}, {"cpu": "100m", "memory": "256Mi"}, {"cpu": "1", "memory": "1Gi"}),
        ({"memory": "100Mi"}, {"cpu": "100m", "memory": "100Mi"}, {"memory": "1Gi"}),
        ({"requests.cpu": "50m", "limits.memory": "128Mi"}, {"cpu": "50m", "memory": "128Mi"}, {"memory": "128Mi"}),
    ],
)
def test_the_default_limits_fit_into_the_quota(
    quota: dict[str, str], requested: dict[str, str], default: dict[str, str]
) -> None:
    limits = default_limits(quota)
    assert {name: limits.default_request[name] for name in requested} == requested
    assert limits.default == default
    (limit,) = objects(quota=quota)["container-limits"]["spec"]["limits"]
    assert limit["default"] == default


@pytest.mark.parametrize(
    ("arguments", "code", "path", "value"),
    [
        ({"default": {"nvidia.com/gpu": 1}}, "gpu-default", 'default["nvidia.com/gpu"]', None),
        ({"max": {"storage": 1}}, "resource-unknown", "max.storage", None),
        ({"max": {"memory": "512m"}}, "quantity-fraction", "max.memory", "512M"),
        ({"default": {"cpu": 2}, "max": {"cpu": 1}}, "exceeds", "default.cpu", "1"),
        ({"default_request": {"cpu": 2}, "default": {"cpu": 1}}, "exceeds", "default_request.cpu", "1"),
        ({"default_request": {"cpu": 2}, "max": {"cpu": 1}}, "exceeds", "default_request.cpu", "1"),
    ],
)
def test_invalid_limits(arguments: dict[str, Any], code: str, path: str, value: str | None) -> None:
    (found,) = problems(lambda: ContainerLimits(**arguments))
    assert (found.code, found.property_path(), found.value) == (code, path, value)
