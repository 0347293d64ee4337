"""PriorityClasses."""

from typing import Any

import pytest

from components import PriorityClasses, PriorityClassesArgs
from components.priority_classes import manifests
from tests.mocks import deploy
from tests.problems import problems
from tests.schemas import assert_valid

CLASSES: dict[str, Any] = {"training": {"value": 1000}, "batch": {"value": -5, "preemption": "Never"}}


def test_the_manifests_are_valid() -> None:
    made = manifests(PriorityClassesArgs.of({"classes": CLASSES}))
    assert_valid(made)
    assert (made["training"]["value"], made["training"]["preemptionPolicy"]) == (1000, "PreemptLowerPriority")
    assert (made["batch"]["value"], made["batch"]["preemptionPolicy"]) == (-5, "Never")
    assert "globalDefault" not in made["training"]


def test_a_description_is_optional() -> None:
    (described,) = manifests(
        PriorityClassesArgs.of({"classes": {"a": {"value": 1, "description": "Training."}}})
    ).values()
    assert described["description"] == "Training."
    assert "description" not in manifests(PriorityClassesArgs.of({"classes": CLASSES}))["training"]


@pytest.mark.parametrize(
    ("name", "code", "key"),
    [
        ("system-critical", "reserved", "critical"),
        ("system-", "name-invalid", "system"),
        ("Training", "name-invalid", "training"),
    ],
)
def test_invalid_names(name: str, code: str, key: str | None) -> None:
    (problem,) = problems(lambda: PriorityClassesArgs.of({"classes": {name: {"value": 1}}}))
    assert (problem.code, problem.path, problem.key) == (code, ("classes", name), key)


def test_values_above_those_of_users_are_reserved() -> None:
    (problem,) = problems(lambda: PriorityClassesArgs.of({"classes": {"a": {"value": 10**9 + 1}}}))
    assert (problem.code, problem.property_path()) == ("out-of-range", "classes.a.value")


def test_the_component_registers_one_object_per_class() -> None:
    deployment = deploy(lambda: PriorityClasses("priority", {"classes": CLASSES}))
    kind = "kubernetes:scheduling.k8s.io/v1:PriorityClass"
    assert deployment.children("priority") == {"priority-training": kind, "priority-batch": kind}
    assert deployment.outputs["priority"] == {"names": ["training", "batch"]}


def test_another_value_or_preemption_replaces_the_object() -> None:
    """Both fields are immutable, which the provider does not know."""
    request = deploy(lambda: PriorityClasses("priority", {"classes": CLASSES}))["priority-training"].request
    assert list(request.replaceOnChanges) == ["value", "preemptionPolicy"]
    assert request.deleteBeforeReplace
