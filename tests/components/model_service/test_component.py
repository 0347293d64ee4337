"""The component ModelService: its children, names, options, warnings and outputs."""

from typing import Any

import pulumi
import pytest

from components import ModelService, NodePool, TeamNamespace
from components.base.ownership import IGNORED_CHANGES
from tests.mocks import deploy
from tests.model_services import CANARY, arguments, container
from tests.problems import errors
from tests.workloads import GPU_POOL


def test_children_are_registered_one_after_the_other() -> None:
    def program() -> None:
        team = TeamNamespace("nlp", {"serves": True})
        pool = NodePool(image="server:v1", gpu_resource="nvidia.com/gpu")
        args = {"team": team, "node_pool": pool, "gpus": 1, "replicas": 2, "service": {"type": "LoadBalancer"}}
        ModelService("bert", args)

    deployment = deploy(program)
    assert deployment.children("bert") == {
        "bert-service-account": "kubernetes:core/v1:ServiceAccount",
        "bert-deployment": "kubernetes:apps/v1:Deployment",
        "bert-service": "kubernetes:core/v1:Service",
        "bert-disruption-budget": "kubernetes:policy/v1:PodDisruptionBudget",
    }
    before = {urn.split("::")[-1] for urn in deployment["bert-service"].request.dependencies}
    assert {"nlp-namespace", "bert-deployment"} <= before
    assert deployment.outputs["bert"] == {
        "url": "http://bert.nlp.svc.cluster.local",
        "externalAddress": "203.0.113.7",
    }


def test_the_url_has_a_port_unless_it_is_that_of_http() -> None:
    def program() -> None:
        ModelService("bert", {"namespace": "lab", "image": "server:v1", "service": {"name": "api", "port": 8080}})

    assert deploy(program).outputs["bert"] == {"url": "http://api.lab.svc.cluster.local:8080"}


def test_a_preview_before_the_load_balancer_has_an_address() -> None:
    def program() -> None:
        ModelService("bert", {"namespace": "lab", "image": "server:v1"})

    deployment = deploy(program, preview=True)
    assert "bert-service" in deployment.names()
    assert not isinstance(deployment.outputs["bert"]["externalAddress"], str)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [({}, 120), ({"replicas": 8}, 4 * 120), ({"replicas": 3, "timeout_seconds": 50}, 50)],
)
def test_the_startup_budget_sets_the_probe_and_the_timeouts(given: dict[str, Any], seconds: int) -> None:
    given = {"startup_budget_seconds": 120, **given}
    probe = container(**given)["startupProbe"]
    assert (probe["failureThreshold"] - 1) * probe["periodSeconds"] == 120
    deployment = deploy(lambda: ModelService("bert", arguments(**given)))
    timeouts = deployment["bert-deployment"].request.customTimeouts
    assert timeouts.create == timeouts.update == f"{seconds}s"


def test_the_timeout_of_a_canary_is_that_of_its_own_pods() -> None:
    # 90 % beside two pods is eighteen pods, of which one at a time is replaced.
    args = arguments(replicas=2, rollout="replace", startup_budget_seconds=60, canary={**CANARY, "weight": 90})
    deployment = deploy(lambda: ModelService("bert", args))
    waits = {role: deployment[f"bert-{role}"].request.customTimeouts.update for role in ("deployment", "canary")}
    assert waits == {"deployment": "120s", "canary": f"{18 * 60}s"}


def test_the_replicas_are_ignored_only_of_an_autoscaled_deployment() -> None:
    scaled = deploy(lambda: ModelService("bert", arguments(autoscale={"max": 6, "cpu": 70})))["bert-deployment"]
    fixed = deploy(lambda: ModelService("bert", arguments(replicas=2)))["bert-deployment"]
    assert set(scaled.request.ignoreChanges) - set(IGNORED_CHANGES) == {"spec.replicas"}
    assert set(fixed.request.ignoreChanges) == set(IGNORED_CHANGES)
    # The number is taken from an autoscaler that owns it, and only without one.
    assert fixed.inputs["metadata"]["annotations"] == {"pulumi.com/patchForce": "true"}
    assert "annotations" not in scaled.inputs["metadata"]


def test_a_name_must_leave_room_for_that_of_a_canary() -> None:
    name = "b" * 60
    deploy(lambda: ModelService(name, arguments()))
    assert errors(lambda: deploy(lambda: ModelService(name, arguments(canary=CANARY)))) == [("name-invalid", "name")]


def test_warnings_depend_on_the_quota_of_the_team(monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[tuple[str, pulumi.Resource]] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda text, resource: logged.append((text, resource)))
    made: list[ModelService] = []

    def program() -> None:
        for name, quota in (("reserved", {"requests.nvidia.com/gpu": 8}), ("none", {})):
            team = TeamNamespace(f"team-{name}", {"quota": quota})
            args = {"team": team, "node_pool": GPU_POOL, "gpus": 2, "rollout": "surge"}
            made.append(ModelService(name, args))

    deploy(program, preview=True)
    ((text, resource),) = logged
    message, fix = text.splitlines()
    assert message.startswith("rollout: ")
    assert message.endswith("[surge-unreserved]")
    assert "requests.nvidia.com/gpu" in fix
    assert resource is made[1]
