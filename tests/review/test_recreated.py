"""Objects that are created and deleted in one change."""

from typing import Any

import pytest

from review.preview import Step
from review.recreated import recreated

SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "api", "namespace": "lab"}}
QUEUE = {"apiVersion": "kueue.x-k8s.io/v1beta1", "kind": "LocalQueue", "metadata": {"name": "q", "namespace": "lab"}}


def step(op: str, name: str, manifest: dict[str, Any]) -> Step:
    before, after = (manifest, None) if op == "delete" else (None, manifest)
    return Step(op, f"urn:pulumi:prod::p::t::{name}", "", before, after, {})


def found(*steps: Step) -> list[tuple[str, object, object]]:
    return [(message.code, message.values["old"], message.values["new"]) for message in recreated(steps)]


@pytest.mark.parametrize(
    ("old", "new"), [(SERVICE, SERVICE), (QUEUE, {**QUEUE, "apiVersion": "kueue.x-k8s.io/v1beta2"})]
)
def test_one_object_of_two_resources_is_a_problem(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert found(step("create", "b-x", new), step("delete", "a-x", old)) == [("object-recreated", "a-x", "b-x")]


def test_other_names_namespaces_and_replacements_are_not() -> None:
    elsewhere = {**SERVICE, "metadata": {"name": "api", "namespace": "other"}}
    assert found(step("create", "b", elsewhere), step("delete", "a", SERVICE)) == []
    assert found(step("replace", "a", SERVICE)) == []
