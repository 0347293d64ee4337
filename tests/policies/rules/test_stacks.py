"""Rules for an object that depend on other objects of the stack."""

import copy
from typing import Any

import pytest

from tests.edits import Edit, Objects, drop, every, put
from tests.policies.cases import STACKS, assert_respected, assert_undetermined, assert_violated, values


@pytest.mark.parametrize(("rule", "edit", "values"), STACKS.violations, ids=STACKS.ids())
def test_a_violation(rule: str, edit: Edit, values: dict[str, Any]) -> None:
    assert_violated(rule, edit, values)


@pytest.mark.parametrize("rule", STACKS.undetermined)
def test_valid_objects_respect_the_rule(rule: str) -> None:
    assert_respected(rule)


@pytest.mark.parametrize(("rule", "path"), STACKS.undetermined.items())
def test_an_unknown_value(rule: str, path: str) -> None:
    assert_undetermined(rule, path)


def autoscaled(kind: str, **spec: int) -> Edit:
    """The Deployment of the budget, scaled by an autoscaler."""
    scaler = {"kind": kind, "metadata": {"name": "bert", "namespace": "ml-serving"}}
    return every(
        drop("Deployment/spec/replicas"),
        put("scaler", {**scaler, "spec": {"scaleTargetRef": {"name": "bert"}, **spec}}),
    )


def second_deployment(replicas: int) -> Edit:
    """A second Deployment whose pods the same budget selects."""

    def edit(objects: Objects) -> None:
        other = copy.deepcopy(objects["Deployment"])
        other["metadata"]["name"] = "bert-canary"
        other["spec"]["replicas"] = replicas
        objects["canary"] = other

    return edit


_MIN_AVAILABLE = "PodDisruptionBudget/spec/minAvailable"

BUDGETS: dict[str, tuple[Edit, dict[str, str] | None]] = {
    "above the minimum of KEDA": (
        every(autoscaled("ScaledObject", minReplicaCount=3), put(_MIN_AVAILABLE, 1)), None,
    ),
    "at the minimum of KEDA": (
        every(autoscaled("ScaledObject", minReplicaCount=2), put(_MIN_AVAILABLE, 2)), {"pods": "2 pods", "workloads": "bert"},
    ),
    "KEDA scales to zero": (
        every(autoscaled("ScaledObject"), put(_MIN_AVAILABLE, 1)), {"pods": "1 pod", "workloads": "bert"},
    ),
    "above the minimum of an autoscaler": (autoscaled("HorizontalPodAutoscaler", minReplicas=3), None),
    "at the minimum of an autoscaler": (
        autoscaled("HorizontalPodAutoscaler", minReplicas=2), {"pods": "2 pods", "workloads": "bert"},
    ),
    "an autoscaler of another kind with the same name": (
        put("HorizontalPodAutoscaler/spec/scaleTargetRef", {"kind": "StatefulSet", "name": "bert"}), None,
    ),
    "two Deployments": (every(second_deployment(1), put(_MIN_AVAILABLE, 3)), None),
    "two Deployments without a spare pod": (
        every(second_deployment(1), put(_MIN_AVAILABLE, 4)), {"pods": "4 pods", "workloads": "bert and bert-canary"},
    ),
    "two Deployments, one scaled to zero": (
        every(second_deployment(0), put(_MIN_AVAILABLE, 3)), {"pods": "3 pods", "workloads": "bert"},
    ),
    "all scaled to zero": (put("Deployment/spec/replicas", 0), None),
}  # fmt: skip


@pytest.mark.parametrize("case", BUDGETS)
def test_a_disruption_budget_covers_all_pods_that_it_selects(case: str) -> None:
    edit, expected = BUDGETS[case]
    assert values("disruption-allowed", edit) == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ("service-selects", "Service/spec/selector"),
        ("service-port", "Service/spec/selector"),
        ("disruption-allowed", "PodDisruptionBudget/spec/selector"),
    ],
)
def test_an_object_without_a_selector_selects_no_pods(rule: str, path: str) -> None:
    assert values(rule, drop(path)) == []
