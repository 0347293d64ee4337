"""Rules for pods."""

from typing import Any

import pytest

from tests.edits import Edit
from tests.policies.cases import PODS, assert_respected, assert_undetermined, assert_violated


@pytest.mark.parametrize(("rule", "edit", "values"), PODS.violations, ids=PODS.ids())
def test_a_violation(rule: str, edit: Edit, values: dict[str, Any]) -> None:
    assert_violated(rule, edit, values)


@pytest.mark.parametrize("rule", PODS.undetermined)
def test_valid_objects_respect_the_rule(rule: str) -> None:
    assert_respected(rule)


@pytest.mark.parametrize(("rule", "path"), PODS.undetermined.items())
def test_an_unknown_value(rule: str, path: str) -> None:
    assert_undetermined(rule, path)
