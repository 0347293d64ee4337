"""Metrics of a model server, and what scrapes them."""

from typing import Any

import pytest

from tests.model_services import CANARY, OPTIONS, arguments, container, objects
from tests.problems import errors


def test_a_service_monitor_scrapes_a_container_port_that_clients_cannot_reach() -> None:
    made = objects(**OPTIONS["ServiceMonitor"])
    assert {"name": "metrics", "containerPort": 9090} in container(**OPTIONS["ServiceMonitor"])["ports"]
    assert [port["name"] for port in made["service"]["spec"]["ports"]] == ["http"]
    spec = made["service-monitor"]["spec"]
    assert spec["endpoints"] == [{"targetPort": "metrics", "path": "/metrics", "interval": "30s"}]
    assert made["service"]["metadata"]["labels"].items() >= spec["selector"]["matchLabels"].items()


def test_a_pod_monitor_scrapes_the_containers_port_by_default() -> None:
    monitor = objects(**OPTIONS["PodMonitor"])["pod-monitor"]
    assert monitor["kind"] == "PodMonitor"
    assert monitor["spec"]["podMetricsEndpoints"] == [{"port": "http", "path": "/stats", "interval": "10s"}]


@pytest.mark.parametrize("metrics", [{}, {"port": 8080}])
def test_metrics_on_the_port_of_the_service_add_no_container_port(metrics: dict[str, Any]) -> None:
    assert [port["name"] for port in container(metrics=metrics)["ports"]] == ["http"]


def test_a_monitor_selects_both_versions_whatever_their_labels() -> None:
    given = {"labels": {"app": "ranker", "app.kubernetes.io/name": "ranking"}, "canary": CANARY, "replicas": 3}
    made = objects(**given, route={"gateway": "public"}, metrics={"monitor": "service"})
    selected = made["service-monitor"]["spec"]["selector"]["matchLabels"].items()
    assert all(made[role]["metadata"]["labels"].items() >= selected for role in ("service", "canary-service"))
    pods = objects(**given, metrics={"monitor": "pod"})
    selected = pods["pod-monitor"]["spec"]["selector"]["matchLabels"].items()
    labels = [pods[role]["spec"]["template"]["metadata"]["labels"] for role in ("deployment", "canary")]
    assert all(each.items() >= selected for each in labels)


@pytest.mark.parametrize(
    ("metrics", "code", "path"),
    [
        ({"port": 0}, "out-of-range", "metrics.port"),
        ({"path": "metrics"}, "invalid", "metrics.path"),
        ({"monitor": "node"}, "not-one-of", "metrics.monitor"),
        ({"interval_seconds": 0}, "out-of-range", "metrics.interval_seconds"),
    ],
)
def test_invalid_metrics(metrics: dict[str, Any], code: str, path: str) -> None:
    assert errors(lambda: arguments(metrics=metrics)) == [(code, path)]
