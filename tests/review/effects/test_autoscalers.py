"""Autoscalers and the pods that they scale."""

from typing import Any

import pytest

from components.base.objects import Manifest
from review.effects.autoscalers import autoscalers
from tests.review.effects.objects import container, deployment, made, owned, pair


def scaler(name: str, target: str = "app", **metric: Any) -> Manifest:
    scaled = {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}
    spec = {"scaleTargetRef": scaled, "metrics": [metric] if metric else []}
    return made("HorizontalPodAutoscaler", name, version="autoscaling/v2", spec=spec)


def codes(before: list[Manifest], after: list[Manifest]) -> list[str]:
    return [message.code for message in autoscalers(*pair(before, after))]


SHARE: dict[str, Any] = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}
REQUESTS = {"requests": {"cpu": "1"}}


def test_two_autoscalers_of_one_workload() -> None:
    assert codes([scaler("h")], [scaler("h"), scaler("i")]) == ["scaled-twice"]
    assert codes([scaler("h"), scaler("i")], [scaler("h"), scaler("i")]) == []
    assert codes([scaler("h")], [scaler("h"), scaler("i", "other")]) == []
    of_keda = made("ScaledObject", "k", version="keda.sh/v1alpha1", spec={"scaleTargetRef": {"name": "app"}})
    made_by_keda = owned(scaler("keda-hpa-k"), "ScaledObject", "k", "keda.sh/v1alpha1")
    assert codes([], [of_keda, made_by_keda]) == []
    assert codes([], [of_keda, scaler("h")]) == ["scaled-twice"]


@pytest.mark.parametrize(
    ("app", "metric", "expected"),
    [
        (deployment(), {"resource": SHARE}, ["scaled-without-requests"]),
        (deployment(containers=[container(resources=REQUESTS)]), {"resource": SHARE}, []),
        (deployment(containers=[container(resources={"limits": {"cpu": "1"}})]), {"resource": SHARE}, []),
        (deployment(resources=REQUESTS), {"resource": SHARE}, []),
        (
            deployment(containers=[container(resources=REQUESTS), container("proxy")]),
            {"resource": SHARE},
            ["scaled-without-requests"],
        ),
        (
            deployment(containers=[container(resources=REQUESTS), container("proxy")]),
            {"containerResource": {**SHARE, "container": "c"}},
            [],
        ),
        (deployment(), {"containerResource": {**SHARE, "container": "d"}}, ["scaled-by-unknown-container"]),
        (deployment(), {"resource": {"name": "cpu", "target": {"type": "AverageValue"}}}, []),
        (deployment(), {"pods": {"metric": {"name": "qps"}}}, []),
    ],
)
def test_the_metrics_of_an_autoscaler(app: Manifest, metric: dict[str, Any], expected: list[str]) -> None:
    assert codes([app], [app, scaler("h", **metric)]) == expected
    assert codes([scaler("h", **metric)], [app, scaler("h", **metric)]) == expected
    assert codes([app, scaler("h", **metric)], [app, scaler("h", **metric)]) == []


def test_a_limit_range_sets_requests() -> None:
    limits = made("LimitRange", "l", spec={"limits": [{"type": "Container", "defaultRequest": {"cpu": "1"}}]})
    assert codes([], [limits, deployment(), scaler("h", resource=SHARE)]) == []
    elsewhere = made("LimitRange", "l", "b", spec=limits["spec"])
    assert codes([], [elsewhere, deployment(), scaler("h", resource=SHARE)]) == ["scaled-without-requests"]
