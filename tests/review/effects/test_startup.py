"""The startup of running pods against probes and deadlines."""

from typing import Any

import pytest

from components.base.objects import Manifest
from review.effects.startup import measured, startup, startup_budget
from review.effects.world import Key
from tests.review.effects.objects import container, deployment, found, made, owned, pair

PROBE = {"httpGet": {"port": 80}, "periodSeconds": 10}
PATIENT = container(startupProbe={**PROBE, "failureThreshold": 60})


def pod(seconds: int, name: str = "p", restarts: int = 0, ready: str = "True") -> Manifest:
    status = {
        "conditions": [
            {
                "type": "Ready",
                "status": ready,
                "lastTransitionTime": f"2026-01-01T00:{seconds // 60:02}:{seconds % 60:02}Z",
            }
        ],
        "containerStatuses": [
            {"name": "c", "restartCount": restarts, "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}
        ],
    }
    return owned({**made("Pod", name, spec={"containers": []}), "status": status}, "ReplicaSet", "app-1")


REPLICAS = owned(made("ReplicaSet", "app-1", version="apps/v1", spec=deployment()["spec"]), "Deployment", "app")
APP = (Key("Deployment", "a", "app"), "c")


def test_the_startup_of_a_workload_is_that_of_its_fastest_pod() -> None:
    assert measured([deployment(), REPLICAS, pod(300), pod(240, "q")]) == {APP: 240}


def test_pods_that_show_no_startup() -> None:
    for shown in (pod(1), pod(300, restarts=1), pod(300, ready="False")):
        assert measured([deployment(), REPLICAS, shown]) == {}


@pytest.mark.parametrize(
    ("probes", "budget"),
    [
        ({}, None),
        ({"startupProbe": {}, "livenessProbe": {}}, None),
        ({"startupProbe": {"failureThreshold": 5, "initialDelaySeconds": 7}}, 57),
        ({"livenessProbe": {"periodSeconds": 5}}, 15),
        ({"startupProbe": {"failureThreshold": 2}, "livenessProbe": {"periodSeconds": 5}}, 20),
    ],
)
def test_the_budget_of_a_container(probes: dict[str, Any], budget: int | None) -> None:
    assert startup_budget(probes) == budget


def codes(before: Manifest, after: Manifest, *live: Manifest) -> list[str]:
    return [code for code, _ in found(startup(*pair([before], [after]), [before, REPLICAS, *live] if live else []))]


def shorter(failures: int) -> Manifest:
    return deployment(containers=[container(startupProbe={**PROBE, "failureThreshold": failures})])


def test_a_budget_below_the_startup() -> None:
    before = deployment(containers=[PATIENT])
    assert codes(before, shorter(20), pod(300)) == ["startup-budget-exceeded"]
    assert codes(before, shorter(40), pod(300)) == []
    assert codes(before, shorter(20)) == []


def test_a_budget_that_does_not_shrink() -> None:
    assert codes(shorter(20), shorter(30), pod(400)) == []


def test_a_startup_probe_is_removed() -> None:
    live = container(livenessProbe=PROBE)
    before = deployment(containers=[{**PATIENT, "livenessProbe": PROBE}])
    assert codes(before, deployment(containers=[live])) == ["startup-probe-removed"]
    assert codes(before, deployment(containers=[live]), pod(300)) == ["startup-budget-exceeded"]
    assert codes(before, deployment(containers=[live]), pod(20)) == []
    assert codes(before, deployment(containers=[container()])) == []


def test_a_deadline_below_the_startup() -> None:
    before, after = deployment(), deployment()
    after["spec"]["progressDeadlineSeconds"] = 120
    assert codes(before, after, pod(300)) == ["deadline-exceeded"]
    assert codes(before, after, pod(60)) == []
    assert codes(after, before, pod(300)) == []
