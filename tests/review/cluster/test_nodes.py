"""Nodes for the pods of a workload."""

from typing import Any

import pytest

from review import messages
from review.cluster.kubectl import ForbiddenError
from review.cluster.nodes import check_nodes
from tests.review.cluster.table import Table
from tests.review.prod import codes

SELECTOR = {"cloud.google.com/gke-accelerator": "nvidia-l4"}
LABELS = "cloud.google.com/gke-accelerator=nvidia-l4"


def workload(*tolerations: dict[str, str], selector: dict[str, str] = SELECTOR) -> dict[str, Any]:
    spec = {"nodeSelector": selector, "tolerations": list(tolerations)}
    return {"kind": "Pod", "metadata": {"name": "p", "namespace": "a"}, "spec": spec}


TOLERATING: list[dict[str, str]] = [
    {"key": "nvidia.com/gpu", "operator": "Exists"},
    {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"},
    {"key": "nvidia.com/gpu", "operator": "Equal", "value": "present"},
    {"key": "nvidia.com/gpu", "value": "present"},
    {"operator": "Exists"},
]
NOT_TOLERATING: list[dict[str, str]] = [
    {"key": "nvidia.com/gpu", "value": "absent"},
    {"key": "spot", "operator": "Exists"},
    {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoExecute"},
]


@pytest.mark.parametrize("toleration", TOLERATING)
def test_a_node_whose_taints_are_tolerated(toleration: dict[str, str]) -> None:
    assert list(check_nodes(workload(toleration), Table())) == []


@pytest.mark.parametrize("toleration", NOT_TOLERATING)
def test_a_taint_that_is_not_tolerated_is_a_warning(toleration: dict[str, str]) -> None:
    expected = messages.TAINT_NOT_TOLERATED(target="Pod a/p", labels=LABELS)
    assert list(check_nodes(workload(toleration), Table())) == [expected]


def test_a_taint_without_effect_on_scheduling() -> None:
    cluster = Table()
    cluster.nodes = [
        {"metadata": {"labels": SELECTOR}, "spec": {"taints": [{"key": "a", "effect": "PreferNoSchedule"}]}}
    ]
    assert list(check_nodes(workload(), cluster)) == []


def test_no_node_with_the_labels_is_a_warning() -> None:
    cluster = Table()
    cluster.nodes = []
    assert list(check_nodes(workload(), cluster)) == [messages.NODE_LABELS_NOT_FOUND(target="Pod a/p", labels=LABELS)]


def test_without_a_node_selector_any_node_may_do() -> None:
    cluster = Table()
    cluster.nodes = []
    assert list(check_nodes(workload(selector={}), cluster)) == []


def test_nodes_that_may_not_be_listed_are_a_note() -> None:
    assert codes(check_nodes(workload(), Table(errors={"nodes": ForbiddenError("no")}))) == ["nodes-not-checked"]
