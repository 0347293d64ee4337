"""ResourceQuotas: keys, priority classes and whole numbers."""

from typing import Any

import pytest

from components import TeamNamespaceArgs
from components.team_namespace.resource_quota import HardLimits, PriorityQuotas, fraction_errors, resource_quotas
from tests.teams import objects
from tests.values import problem, validated


@pytest.mark.parametrize(
    "key",
    [
        "cpu",
        "pods",
        "limits.memory",
        "requests.storage",
        "requests.nvidia.com/gpu",
        "requests.nvidia.com/mig-1g.10gb",
        "count/jobs.batch",
        "services.loadbalancers",
        "fast.storageclass.storage.k8s.io/requests.storage",
        "gpu.example.com.deviceclass.resource.k8s.io/devices",
    ],
)
def test_keys_of_a_resource_quota(key: str) -> None:
    assert TeamNamespaceArgs(quota={key: "1"}).quota == {key: "1"}


@pytest.mark.parametrize(
    ("quota", "code", "key"),
    [
        ({"limits.nvidia.com/gpu": 8}, "quota-counts-requests", "requests.nvidia.com/gpu"),
        ({"nvidia.com/mig-1g.10gb": 8}, "quota-counts-requests", "requests.nvidia.com/mig-1g.10gb"),
        ({"nvidia.com/gpu": 8}, "quota-counts-requests", "requests.nvidia.com/gpu"),
        ({"count/jobs": 8}, "quota-key-without-group", "count/jobs.batch"),
        ({"gpus": 8}, "resource-unknown", None),
        ({"limits.storage": 8}, "resource-unknown", None),
        ({"pods": "many"}, "quantity-invalid", None),
        ({"pods": True}, "wrong-type", None),
    ],
)
def test_invalid_keys_and_quantities(quota: dict[str, Any], code: str, key: str | None) -> None:
    found = problem(HardLimits, quota)
    assert (found.code, found.path, found.key) == (code, tuple(quota), key)
    if key is not None:
        assert validated(HardLimits, {key: 8}) == {key: "8"}


@pytest.mark.parametrize("key", ["services", "requests.storage", "count/jobs.batch"])
def test_a_quota_of_a_priority_class_counts_pods_and_their_resources_only(key: str) -> None:
    found = problem(PriorityQuotas, {"a": {key: 1}})
    assert (found.code, found.path) == ("resource-unknown", ("a", key))


@pytest.mark.parametrize("key", ["pods", "cpu", "requests.memory", "limits.cpu", "requests.nvidia.com/gpu"])
def test_keys_of_a_quota_of_a_priority_class(key: str) -> None:
    assert validated(PriorityQuotas, {"a": {key: 1}}) == {"a": {key: "1"}}


@pytest.mark.parametrize(
    ("key", "quantity", "value"),
    [
        ("pods", "2.5", "3"),
        ("services", "1e-9", "1"),
        ("count/jobs.batch", "500m", "1"),
        ("requests.nvidia.com/gpu", "500m", "1"),
        ("limits.memory", "512m", "512M"),
        ("requests.storage", "500m", "500M"),
        ("hugepages-2Mi", "500m", "500M"),
    ],
)
def test_objects_devices_and_bytes_are_whole_numbers(key: str, quantity: str, value: str) -> None:
    ((found, error),) = fraction_errors({key: quantity})
    assert found == key
    assert error.context is not None
    assert (error.context["code"], error.context["value"]) == ("quantity-fraction", value)


@pytest.mark.parametrize(("key", "quantity"), [("cpu", "2.5"), ("limits.cpu", "500m"), ("pods", "1e40")])
def test_other_quantities_may_be_fractions_or_large(key: str, quantity: str) -> None:
    assert fraction_errors({key: quantity}) == []


def test_the_quota_is_named_after_the_namespace() -> None:
    quota = objects("training", name="ml-training", quota={"requests.cpu": "32", "pods": "20"}, serves=True)["quota"]
    assert quota["metadata"]["name"] == "ml-training-quota"
    assert quota["metadata"]["namespace"] == "ml-training"
    assert quota["spec"] == {"hard": {"requests.cpu": "32", "pods": "20"}}


@pytest.mark.parametrize(
    ("arguments", "hard"),
    [
        ({}, {"services.nodeports": "0", "services.loadbalancers": "0"}),
        ({"quota": {"services.nodeports": 2}}, {"services.nodeports": "2", "services.loadbalancers": "0"}),
        ({"quota": {"pods": 2}, "serves": True}, {"pods": "2"}),
    ],
)
def test_a_team_that_does_not_serve_exposes_nothing_outside_the_cluster(
    arguments: dict[str, Any], hard: dict[str, str]
) -> None:
    assert objects(**arguments)["quota"]["spec"]["hard"] == hard


def test_a_team_without_limits_has_no_empty_quota() -> None:
    assert "quota" not in objects(serves=True)


def test_a_priority_class_has_a_quota_and_all_others_are_excluded() -> None:
    made = objects(priority_quotas={"training": {"requests.nvidia.com/gpu": "4"}})
    assert made["priority-quota-training"]["spec"] == {
        "hard": {"requests.nvidia.com/gpu": "4"},
        "scopeSelector": {
            "matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": ["training"]}]
        },
    }
    assert made["other-priorities"]["spec"] == {
        "hard": {"pods": "0"},
        "scopeSelector": {
            "matchExpressions": [
                {"scopeName": "PriorityClass", "operator": "Exists"},
                {"scopeName": "PriorityClass", "operator": "NotIn", "values": ["training"]},
            ]
        },
    }


@pytest.mark.parametrize(
    ("priority_class", "roles"),
    [
        (None, ["quota"]),
        ("training", ["quota", "priority-quota-training"]),
        ("urgent", ["quota", "other-priorities"]),
    ],
)
def test_the_quotas_that_count_a_pod(priority_class: str | None, roles: list[str]) -> None:
    quotas = resource_quotas("nlp", {"pods": "9"}, {"training": {"pods": "1"}}, serves=True)
    assert [quota.role for quota in quotas if quota.counts(priority_class)] == roles
