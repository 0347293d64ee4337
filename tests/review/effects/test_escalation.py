"""Permissions that lead to more, and those that pods lose."""

import pytest

from components.base.objects import Manifest
from review.effects.escalation import escalation
from review.effects.rights import rights
from tests.review.effects.objects import binding, deployment, made, pair, role, rule

GRANTED = binding(role("r"), ("ServiceAccount", "robot"))


def codes(before: list[Manifest], after: list[Manifest]) -> list[str]:
    old, new = pair(before, after)
    return [message.code for message in escalation(rights(old, new), old, new)]


def gains(*rules: Manifest, subject: tuple[str, str] = ("ServiceAccount", "robot")) -> list[str]:
    existing = made("ConfigMap", "c")
    return codes([existing], [existing, role("r", *rules), binding(role("r"), subject)])


@pytest.mark.parametrize(
    "risky",
    [
        rule("get", "secrets"),
        rule("list", "*"),
        rule("*", "secrets"),
        rule("create", "pods/exec"),
        rule("create", "pods"),
        rule("bind", "roles", "rbac.authorization.k8s.io"),
        rule("impersonate", "users", resourceNames=["admin"]),
        rule("*", "*", "*"),
        rule("create", "serviceaccounts/token"),
    ],
    ids=lambda one: f"{one['verbs'][0]} {one['resources'][0]}",
)
def test_permissions_that_lead_to_more(risky: Manifest) -> None:
    assert gains(risky) == ["rights-gained"]


@pytest.mark.parametrize(
    "harmless",
    [rule("get list", "pods"), rule("get", "secrets", resourceNames=["hub"]), rule("create", "jobs", "batch"), rule("get", "pods/log")],
)  # fmt: skip
def test_other_permissions(harmless: Manifest) -> None:
    assert gains(harmless) == []


def test_any_permission_of_everyone() -> None:
    assert gains(rule("get", "pods"), subject=("Group", "system:authenticated")) == ["rights-gained"]


def test_the_owners_of_a_new_namespace() -> None:
    granted = [role("r", rule("list", "secrets")), binding(role("r"), ("Group", "team"))]
    assert codes([], [made("Namespace", "a", None), *granted]) == []
    assert codes([made("Namespace", "a", None)], [made("Namespace", "a", None), *granted]) == ["rights-gained"]


def test_developers_of_a_namespace() -> None:
    reported: list[tuple[str, list[str]]] = [("Group", []), ("User", []), ("ServiceAccount", ["rights-gained"])]
    for subject, found in reported:
        granted = [role("r", rule("create", "pods pods/exec")), binding(role("r"), (subject, "team"))]
        assert codes([made("Namespace", "a", None)], [made("Namespace", "a", None), *granted]) == found


def test_what_running_pods_lose() -> None:
    reads = role("r", rule("get list", "configmaps"))
    app = deployment(serviceAccountName="robot")
    assert codes([reads, GRANTED, app], [role("r", rule("get", "configmaps")), GRANTED, app]) == ["rights-lost"]
    assert codes([reads, GRANTED, app], [app]) == ["rights-lost"]
    assert codes([reads, GRANTED], []) == []
    assert codes([reads, GRANTED, app], []) == []
