"""Arguments of a TeamNamespace."""

from typing import Any

import pytest

from components import TeamNamespaceArgs
from tests.problems import errors, problems


@pytest.mark.parametrize(
    ("arguments", "code", "path", "value"),
    [
        ({"name": "kube-system"}, "reserved", "name", "team-kube-system"),
        ({"name": "default"}, "reserved", "name", "team-default"),
        ({"name": "ML_Training"}, "name-invalid", "name", "ml-training"),
        ({"name": "a" * 64}, "name-invalid", "name", "a" * 63),
        ({"team": "nlp team"}, "name-invalid", "team", "nlp-team"),
        ({"labels": {"team": "x"}}, "derived", "labels.team", None),
        ({"labels": {"cost-center": "x"}}, "derived", "labels.cost-center", None),
        (
            {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}},
            "derived",
            'labels["pod-security.kubernetes.io/enforce"]',
            None,
        ),
        ({"pod_security": "strict"}, "not-one-of", "pod_security", None),
        ({"pod_security_version": "1.37"}, "invalid", "pod_security_version", None),
        ({"on_delete": "keep"}, "not-one-of", "on_delete", None),
        ({"quota": {"pods": "2.5"}}, "quantity-fraction", "quota.pods", "3"),
        ({"quota": {"limits.memory": "512m"}}, "quantity-fraction", 'quota["limits.memory"]', "512M"),
        ({"priority_quotas": {"a": {"pods": "1.5"}}}, "quantity-fraction", "priority_quotas.a.pods", "2"),
        (
            {
                "container_limits": {"max": {"memory": "64Gi"}, "default": {"memory": "1Gi"}},
                "quota": {"limits.memory": "32Gi"},
            },
            "exceeds",
            "container_limits.max.memory",
            "32Gi",
        ),
        ({"queues": {"Training": "gpus"}}, "name-invalid", "queues.Training", None),
    ],
)
def test_invalid_arguments(arguments: dict[str, Any], code: str, path: str, value: str | None) -> None:
    (found,) = problems(lambda: TeamNamespaceArgs(**arguments))
    assert (found.code, found.property_path(), found.value) == (code, path, value)


def test_all_problems_are_reported_together() -> None:
    found = errors(
        lambda: TeamNamespaceArgs(
            quota={"pods": "2.5"}, priority_quotas={"a": {"pods": "1.5"}}, labels={"owner": "x", "team": "y"}
        )
    )
    assert found == [
        ("quantity-fraction", "quota.pods"),
        ("quantity-fraction", "priority_quotas.a.pods"),
        ("derived", "labels.owner"),
        ("derived", "labels.team"),
    ]


def test_limits_are_not_compared_with_an_invalid_quota() -> None:
    arguments: dict[str, Any] = {"quota": {"limits.memory": "512m"}, "container_limits": {"max": {"memory": "64Gi"}}}
    assert errors(lambda: TeamNamespaceArgs(**arguments)) == [("quantity-fraction", 'quota["limits.memory"]')]


def test_the_tenant_of_a_team() -> None:
    default = TeamNamespaceArgs().tenant("nlp")
    assert (default.namespace, default.team, default.quota) == ("nlp", "nlp", {})
    named = TeamNamespaceArgs(name="ml-nlp", team="language", quota={"pods": "5"}).tenant("nlp")
    assert (named.namespace, named.team, named.quota) == ("ml-nlp", "language", {"pods": "5"})


def test_the_constraints_of_a_namespace() -> None:
    args = TeamNamespaceArgs(pod_security="baseline", registries=["ghcr.io"], quota={"pods": "5"})
    constraints = args.constraints("nlp")
    assert constraints.pod_security == "baseline"
    assert constraints.registries == ["ghcr.io"]
    assert [quota.name for quota in constraints.quotas] == ["nlp-quota", "nlp-other-priorities"]
    assert constraints.limits == args.limits()
