"""Rules for roles and their bindings."""

from typing import Any

import pytest

from tests.edits import Edit
from tests.policies.cases import RBAC, assert_respected, assert_undetermined, assert_violated


@pytest.mark.parametrize(("rule", "edit", "values"), RBAC.violations, ids=RBAC.ids())
def test_a_violation(rule: str, edit: Edit, values: dict[str, Any]) -> None:
    assert_violated(rule, edit, values)


@pytest.mark.parametrize("rule", RBAC.undetermined)
def test_valid_objects_respect_the_rule(rule: str) -> None:
    assert_respected(rule)


@pytest.mark.parametrize(("rule", "path"), RBAC.undetermined.items())
def test_an_unknown_value(rule: str, path: str) -> None:
    assert_undetermined(rule, path)
