"""Arguments of a TeamNamespace."""

from dataclasses import replace
from typing import Any

import pytest

from components import ModelServiceArgs, TeamNamespaceArgs, model_service
from components.base.arguments import MUTABILITY
from components.team_namespace.manifests import manifests
from tests.argument_models import Model, nested
from tests.mutability import documented
from tests.problems import errors, problems
from tests.teams import CHANGES, Objects


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


@pytest.mark.parametrize("model", nested(TeamNamespaceArgs))
def test_every_docstring_ends_with_the_effect_of_a_change(model: Model) -> None:
    assert {documented(model, name)[0] for name in model.model_fields} <= set(MUTABILITY)


def test_every_argument_has_a_change() -> None:
    assert set(CHANGES) == set(TeamNamespaceArgs.model_fields)


def _identities(objects: Objects) -> dict[str, tuple[str, str]]:
    return {
        role: (manifest["metadata"]["name"], manifest["metadata"].get("namespace", ""))
        for role, manifest in objects.items()
    }


def _pod(team: TeamNamespaceArgs) -> Any:
    service = ModelServiceArgs(namespace="ml", image="server:v1")
    deployment = model_service.manifests("bert", service, replace(team.tenant("nlp"), namespace="ml"))["deployment"]
    return deployment["spec"]["template"]


@pytest.mark.parametrize("name", CHANGES)
def test_the_docstring_states_the_effect_that_a_change_has(name: str) -> None:
    before, after = TeamNamespaceArgs(), TeamNamespaceArgs(**{name: CHANGES[name]})
    old, new = _identities(manifests("nlp", before)), _identities(manifests("nlp", after))
    effect = "Updatable in place."
    if any(old[role] != new[role] for role in old.keys() & new.keys()):
        effect = "A change replaces the object."
    elif _pod(before) != _pod(after):
        effect = "A change rolls the pods of a service; a job needs a new run."
    assert documented(TeamNamespaceArgs, name)[0] == effect


def test_arguments_of_nested_models_are_updatable_in_place() -> None:
    for model in [model for model in nested(TeamNamespaceArgs) if model is not TeamNamespaceArgs]:
        assert {documented(model, name)[0] for name in model.model_fields} == {"Updatable in place."}
