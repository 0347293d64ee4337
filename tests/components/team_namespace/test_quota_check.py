"""Workloads against the constraints of their namespace: quotas, limits, Pod Security, registries."""

from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from components import ArgumentError, ModelService, NodePool, TeamNamespace, TeamNamespaceArgs, TrainingJob
from components.base.errors import Problem
from components.team_namespace.footprint import footprint
from components.team_namespace.limit_range import ContainerLimits
from components.team_namespace.quota_check import (
    NamespaceConstraints,
    QuotaUsage,
    limits_above_quota,
    quota_problems,
)
from tests.mocks import deploy

POOL = NodePool(image="server:v1", gpu_resource="nvidia.com/gpu")
SMALL = {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}}

Workload = tuple[Callable[..., Any], str, dict[str, Any]]


def rejected(team: dict[str, Any], *workloads: Workload) -> list[Problem]:
    """The problems of the last workload. Those before it are registered, and it is not."""
    registered: list[str] = []

    def program() -> None:
        namespace = TeamNamespace("nlp", team)
        for component, name, arguments in workloads:
            component(name, {"team": namespace, "node_pool": POOL, "resources": SMALL, **arguments})
            registered.append(name)

    with pytest.raises(ArgumentError) as error:
        deploy(program)
    assert registered == [name for _, name, _ in workloads][:-1]
    return list(error.value.problems)


def test_a_sum_that_exceeds_the_quota_is_rejected_with_the_share_of_each_workload() -> None:
    (problem,) = rejected(
        {"quota": {"requests.nvidia.com/gpu": 8}},
        (TrainingJob, "pretrain", {"gpus": 4}),
        (ModelService, "bert", {"gpus": 2, "replicas": 2, "rollout": "surge"}),
    )
    assert problem.code == "quota-exceeded"
    assert problem.path == ("TeamNamespace nlp", "quota", "requests.nvidia.com/gpu")
    assert problem.value == "10"
    for share in (
        "ModelService bert 6 (2 replicas and 1 during a rollout, 2 each)",
        "TrainingJob pretrain 4 (1 pod, 4 each)",
    ):
        assert share in problem.message


def test_a_sum_that_equals_the_quota_is_accepted() -> None:
    def program() -> None:
        team = TeamNamespace("nlp", {"quota": {"pods": 5, "requests.nvidia.com/gpu": 10, "requests.cpu": "5"}})
        common = {"team": team, "node_pool": POOL, "resources": SMALL}
        TrainingJob("pretrain", {**common, "gpus": 4})
        ModelService("bert", {**common, "gpus": 2, "replicas": 2, "rollout": "surge"})
        TrainingJob("tune", {**common})

    assert "tune-job" in deploy(program).names()


def test_the_objects_of_the_namespace_count() -> None:
    (problem,) = rejected({"quota": {"configmaps": 0}})
    assert problem.path == ("TeamNamespace nlp", "quota", "configmaps")
    assert "TeamNamespace nlp 1" in problem.message
    key = "count/networkpolicies.networking.k8s.io"
    (problem,) = rejected({"quota": {key: 2}})
    assert problem.path == ("TeamNamespace nlp", "quota", key)


def test_only_a_priority_class_with_a_quota_may_be_used_and_only_up_to_it() -> None:
    team = {"priority_quotas": {"training": {"pods": 1}}, "quota": {"pods": 10}}
    job = {"priority_class": "training"}
    (problem,) = rejected(team, (TrainingJob, "a", job), (TrainingJob, "b", {}), (TrainingJob, "c", job))
    assert (problem.code, problem.path) == (
        "quota-exceeded",
        ("TeamNamespace nlp", "priority_quotas", "training", "pods"),
    )
    assert "TrainingJob a 1" in problem.message
    assert "TrainingJob b" not in problem.message
    (problem,) = rejected(team, (TrainingJob, "a", {"priority_class": "urgent"}))
    assert (problem.code, problem.path) == ("priority-class-not-allowed", ("TrainingJob a", "priority_class"))


@pytest.mark.parametrize(
    ("limits", "resources", "code"),
    [
        ({}, {"requests": {"cpu": "1"}}, "resources-missing"),
        ({"max": {"cpu": "2"}}, {"limits": {"cpu": "3"}}, "container-limit-exceeded"),
        ({"default": {"cpu": "2"}}, {"requests": {"cpu": "3"}}, "default-limit-exceeded"),
    ],
)
def test_a_container_that_would_never_be_admitted_is_rejected(
    limits: dict[str, Any], resources: dict[str, Any], code: str
) -> None:
    team = {"container_limits": limits, "quota": {"limits.cpu": "100"}}
    (problem,) = rejected(team, (TrainingJob, "a", {"resources": resources}))
    assert (problem.code, problem.path) == (code, ("TrainingJob a", "resources"))


@pytest.mark.parametrize(
    ("given", "team", "expected"),
    [
        ({"security": {"run_as_root": True}}, {}, ("pod-security-violated", "security")),
        ({"security": {"run_as_root": True}}, {"pod_security": "baseline"}, None),
        (
            {"security": {"capabilities": ["IPC_LOCK"]}},
            {"pod_security": "baseline"},
            ("pod-security-violated", "security"),
        ),
        ({"security": {"capabilities": ["NET_BIND_SERVICE"]}}, {}, None),
        (
            {"resources": {"requests": {"cpu": "1"}}, "shared_memory": "8Gi"},
            {},
            ("memory-volume-too-large", "resources"),
        ),
        ({"resources": {"requests": {"cpu": "1"}}, "shared_memory": "1Gi"}, {}, None),
        ({}, {"registries": ["ghcr.io/acme", "quay.io/acme/b"]}, ("registry-not-allowed", "image")),
        ({}, {"registries": ["a"]}, None),
        ({"image": pulumi.Output.from_input("b:v1")}, {"registries": ["a"]}, None),
    ],
)
def test_pods_that_the_namespace_would_reject_or_kill_are_rejected(
    given: dict[str, Any], team: dict[str, Any], expected: tuple[str, str] | None
) -> None:
    def program() -> None:
        TrainingJob("a", {"image": "a:v1", **given, "team": TeamNamespace("nlp", team)})

    if expected is None:
        deploy(program)
        return
    with pytest.raises(ArgumentError) as error:
        deploy(program)
    code, argument = expected
    assert [(problem.code, problem.path) for problem in error.value.problems] == [(code, ("TrainingJob a", argument))]


def test_a_load_balancer_of_a_team_that_does_not_serve_is_rejected_once() -> None:
    """It has node ports, too."""
    (problem,) = rejected({}, (ModelService, "bert", {"service": {"type": "LoadBalancer"}}))
    assert (problem.code, problem.path) == ("serving-not-allowed", ("TeamNamespace nlp", "serves"))
    assert problem.value is True


@pytest.mark.parametrize("serves", [True, False])
def test_a_team_whose_quota_excludes_load_balancers_is_referred_to_its_quota(*, serves: bool) -> None:
    team = {"serves": serves, "quota": {"services.loadbalancers": "0", "services.nodeports": "9"}}
    (problem,) = rejected(team, (ModelService, "bert", {"service": {"type": "LoadBalancer"}}))
    assert problem.code == "quota-exceeded"
    assert problem.path == ("TeamNamespace nlp", "quota", "services.loadbalancers")


def _pods(count: int, cpu: str = "1") -> Any:
    template = {"spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": cpu}}}]}}
    spec = {"replicas": count, "strategy": {"type": "Recreate"}, "template": template}
    manifest = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}, "spec": spec}
    return footprint([manifest], ContainerLimits())


def _constraints(**quota: str) -> NamespaceConstraints:
    team = TeamNamespaceArgs(quota=quota, container_limits=ContainerLimits())
    return team.constraints("nlp")


def test_all_conflicts_of_a_namespace_are_reported_together() -> None:
    found = list(quota_problems(_constraints(pods="3", cpu="4"), {"a": _pods(2), "b": _pods(2, cpu="2")}))
    assert [(each.problem.code, each.problem.path, each.workload) for each in found] == [
        ("quota-exceeded", ("quota", "pods"), None),
        ("quota-exceeded", ("quota", "cpu"), None),
    ]


def test_a_workload_that_conflicts_is_not_added_to_the_usage() -> None:
    usage = QuotaUsage(_constraints(pods="3"))
    assert usage.reserve("a", _pods(2)) == []
    assert [found.problem.value for found in usage.reserve("b", _pods(2))] == ["4"]
    assert usage.reserve("c", _pods(1)) == []


def test_container_limits_that_exceed_the_quota() -> None:
    limits = ContainerLimits(default_request={"cpu": "2"}, default={"cpu": "3"}, max={"cpu": "5", "memory": "1Gi"})
    found = dict(limits_above_quota({"requests.cpu": "1", "limits.cpu": "4", "limits.memory": "1Gi"}, limits))
    assert set(found) == {("containerLimits", "defaultRequest", "cpu"), ("containerLimits", "max", "cpu")}
