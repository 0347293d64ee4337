"""The use of quotas before and after a change."""

from decimal import Decimal
from typing import Any

import pytest

from components.base.objects import UNKNOWN
from review.quotas import QuotaUse, quota_use
from tests.review.workloads import deployment, pod, quota


def test_the_use_before_and_after() -> None:
    (use,), unknown = quota_use([quota()], [quota(), deployment()])
    assert (use.namespace, use.quota, use.key) == ("a", "q", "pods")
    # One replica and the surge of a rollout.
    assert [use.before, use.after, use.hard] == [0, 2, 1]
    assert use.exceeded
    assert unknown == []


@pytest.mark.parametrize(
    ("after", "hard", "share", "exceeded"),
    [(1, 4, "0.25", False), (4, 4, "1", False), (5, 4, "1.25", True), (1, 0, "2", True), (0, 0, "0", False)],
)
def test_the_share(after: int, hard: int, share: str, exceeded: bool) -> None:
    use = QuotaUse("a", "q", "pods", Decimal(0), Decimal(after), Decimal(hard))
    assert (use.share, use.exceeded) == (Decimal(share), exceeded)


def test_a_namespace_whose_use_is_unknown() -> None:
    assert quota_use([], [quota(), pod({"name": "c", "resources": UNKNOWN})]) == ([], ["a"])


def test_an_object_whose_namespace_is_unknown_may_use_any_quota() -> None:
    elsewhere = deployment()
    elsewhere["metadata"]["namespace"] = UNKNOWN
    for before in ([], [elsewhere]):
        uses, unknown = quota_use(before, [quota(), elsewhere])
        assert [use.key for use in uses] == ["pods"]
        assert unknown == ["the namespace of Deployment m"]


def test_a_quota_whose_name_is_unknown() -> None:
    without_name = {**quota(), "metadata": {"name": UNKNOWN, "namespace": "a"}}
    assert quota_use([], [without_name]) == ([], ["a"])


def test_a_limit_range_is_not_validated() -> None:
    """It may have fields that a team of this project cannot set."""
    limits: dict[str, Any] = {"type": "Container", "max": {"nvidia.com/gpu": "4"}}
    limit_range = {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "l", "namespace": "a"},
        "spec": {"limits": [limits]},
    }
    gpus = quota(**{"requests.nvidia.com/gpu": "8"})
    ((use,), unknown) = quota_use([], [gpus, limit_range, pod({"name": "c"})])
    assert use.after == 4
    assert unknown == []
    limits["max"] = {"nvidia.com/gpu": UNKNOWN}
    assert quota_use([], [gpus, limit_range, pod({"name": "c"})]) == ([], ["a"])


def test_a_quota_for_other_priorities_has_no_use() -> None:
    other = quota()
    other["spec"]["scopeSelector"] = {
        "matchExpressions": [{"scopeName": "PriorityClass", "operator": "NotIn", "values": ["high"]}]
    }
    assert quota_use([], [other, deployment()]) == ([], [])


def test_a_quota_for_one_priority_counts_its_pods_only() -> None:
    scoped = quota()
    scoped["spec"]["scopeSelector"] = {
        "matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": ["high"]}]
    }
    high = pod({"name": "c"})
    high["spec"]["priorityClassName"] = "high"
    ((use,), _) = quota_use([], [scoped, pod({"name": "c"}), high])
    assert use.after == 1


def test_a_quota_whose_limit_is_unknown() -> None:
    unknown = quota()
    unknown["spec"]["hard"] = UNKNOWN
    assert quota_use([], [unknown]) == ([], ["a"])


def test_other_parts_of_a_limit_range_and_of_a_scope_are_ignored() -> None:
    limit_range = {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "l", "namespace": "a"},
        "spec": {"limits": [{"type": "PersistentVolumeClaim", "max": {"storage": "1Gi"}}]},
    }
    scoped = quota()
    scoped["spec"]["scopeSelector"] = {"matchExpressions": [{"scopeName": "NotTerminating", "operator": "Exists"}]}
    ((use,), _) = quota_use([], [scoped, limit_range, pod({"name": "c"})])
    assert use.after == 1
