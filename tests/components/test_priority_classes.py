"""PriorityClasses."""

from typing import Any

import pytest

from components import PriorityClassArgs, PriorityClasses, PriorityClassesArgs
from components.priority_classes import manifests
from tests.mocks import deploy
from tests.mutability import documented
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


@pytest.mark.parametrize(("name", "value"), [("value", 2), ("preemption", "Never"), ("description", "Training.")])
def test_the_docstring_states_the_effect_that_a_change_has(name: str, value: Any) -> None:
    """The provider does not know that two of the fields are immutable."""
    request = deploy(lambda: PriorityClasses("priority", {"classes": CLASSES}))["priority-training"].request
    before, after = (
        manifests(PriorityClassesArgs.of({"classes": {"training": {"value": 1000, **given}}}))["training"]
        for given in ({}, {name: value})
    )
    changed = {key for key in after if after[key] != before.get(key)}
    replaced = bool(changed & set(request.replaceOnChanges))
    assert request.deleteBeforeReplace
    sentence, _ = documented(PriorityClassArgs, name)
    assert sentence == ("A change replaces the object." if replaced else "Updatable in place.")
    assert documented(PriorityClassesArgs, "classes")[0] == "Updatable in place."
