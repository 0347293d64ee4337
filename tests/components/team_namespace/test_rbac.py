"""Roles and role bindings."""

import pytest

from components import Access
from tests.problems import errors
from tests.teams import EVERYTHING, objects


def test_a_role_exists_if_it_has_groups() -> None:
    made = objects(access={"viewers": ["ml-viewers", "auditors"]})
    assert [role for role in made if role.endswith(("-role", "-binding"))] == ["viewer-role", "viewer-binding"]
    binding = made["viewer-binding"]
    assert [subject["name"] for subject in binding["subjects"]] == ["ml-viewers", "auditors"]
    assert binding["roleRef"]["name"] == made["viewer-role"]["metadata"]["name"]


@pytest.mark.parametrize("role", ["viewer", "developer", "admin"])
def test_no_role_writes_the_constraints_of_the_namespace_or_has_wildcards(role: str) -> None:
    rules = objects(**EVERYTHING)[f"{role}-role"]["rules"]
    for rule in rules:
        assert not {"*", "escalate", "bind", "impersonate"} & {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
        if not {"create", "update", "patch", "delete"} & set(rule["verbs"]):
            continue
        constraints = {"networkpolicies", "resourcequotas", "limitranges", "namespaces", "serviceaccounts/token"}
        assert not constraints & set(rule["resources"])


def _secret_rules(role: str) -> list[tuple[list[str], list[str] | None]]:
    rules = objects(**EVERYTHING)[f"{role}-role"]["rules"]
    return [(rule["verbs"], rule.get("resourceNames")) for rule in rules if "secrets" in rule["resources"]]


def test_access_to_secrets() -> None:
    assert _secret_rules("viewer") == []
    assert _secret_rules("developer") == [
        (["create"], None),
        (["get", "update", "patch", "delete"], ["registry"]),
    ]
    assert ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"] in [
        verbs for verbs, names in _secret_rules("admin") if names is None
    ]


@pytest.mark.parametrize(
    ("group", "code"), [("system:authenticated", "group-reserved"), (" ", "length"), ("", "length")]
)
def test_invalid_groups(group: str, code: str) -> None:
    assert errors(lambda: Access(viewers=[group])) == [(code, "viewers[0]")]
