"""The probes of a model server."""

from typing import Any

import pytest

from tests.model_services import arguments, container
from tests.problems import errors, problems


@pytest.mark.parametrize(
    ("probe", "action"),
    [
        ({"path": "/ok"}, {"httpGet": {"path": "/ok", "port": 8080}}),
        ({"tcp": True}, {"tcpSocket": {"port": 8080}}),
        ({"grpc": True}, {"grpc": {"port": 8080}}),
        ({"command": ["ready"]}, {"exec": {"command": ["ready"]}}),
    ],
)
def test_probes(probe: dict[str, Any], action: dict[str, Any]) -> None:
    main = container(health={"readiness": {**probe, "initial_delay_seconds": 30, "period_seconds": 5}})
    expected = {**action, "initialDelaySeconds": 30, "periodSeconds": 5, "timeoutSeconds": 1, "failureThreshold": 3}
    assert main["readinessProbe"] == expected
    # 600 seconds less the initial delay of 30, and one more for a first probe at the start.
    assert main["startupProbe"] == {**expected, "failureThreshold": 115}
    assert "livenessProbe" not in main


def test_readiness_defaults_to_the_health_path() -> None:
    assert container()["readinessProbe"]["httpGet"] == {"path": "/health", "port": 8080}


def test_a_probe_of_another_port() -> None:
    main = container(metrics={"port": 9090}, health={"liveness": {"tcp": True, "port": 9090}})
    assert main["livenessProbe"]["tcpSocket"] == {"port": 9090}


def test_a_startup_probe_that_differs_from_readiness() -> None:
    startup = {"command": ["loaded"], "period_seconds": 30, "timeout_seconds": 5}
    main = container(health={"liveness": {"tcp": True}, "startup": startup}, startup_budget_seconds=100)
    assert main["startupProbe"] == {
        "exec": {"command": ["loaded"]},
        "periodSeconds": 30,
        "timeoutSeconds": 5,
        "failureThreshold": 5,
    }
    assert main["livenessProbe"]["tcpSocket"] == {"port": 8080}


@pytest.mark.parametrize(("delay", "period"), [(0, 60), (0, 45), (30, 30), (59, 10), (0, 90)])
def test_no_failed_probe_restarts_a_container_within_the_startup_budget(delay: int, period: int) -> None:
    startup = {"tcp": True, "initial_delay_seconds": delay, "period_seconds": period}
    probe = container(health={"startup": startup}, startup_budget_seconds=60)["startupProbe"]
    # The earliest probes: one as soon as the delay is over, and then one in each period.
    restarts = delay + (probe["failureThreshold"] - 1) * period
    assert 60 <= restarts < 60 + period


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"health": {"readiness": {}}}, "exactly-one-of", "health.readiness"),
        ({"health": {"readiness": {"path": "/", "tcp": True}}}, "exactly-one-of", "health.readiness"),
        ({"health": {"readiness": {"path": "health"}}}, "invalid", "health.readiness.path"),
        ({"health": {"liveness": {"tcp": True, "port": 1}}}, "port-not-open", "health.liveness.port"),
        ({"health": {"startup": {"tcp": True, "failure_threshold": 9}}}, "derived", "health.startup.failure_threshold"),
        (
            {"health": {"readiness": {"tcp": True, "initial_delay_seconds": 60}}, "startup_budget_seconds": 60},
            "budget-exhausted",
            "health.readiness.initial_delay_seconds",
        ),
    ],
)
def test_invalid_probes(given: dict[str, Any], code: str, path: str) -> None:
    assert errors(lambda: arguments(**given)) == [(code, path)]


def test_valid_values_for_a_port_and_a_delay() -> None:
    readiness = {"tcp": True, "port": 1, "initial_delay_seconds": 60}
    given = {"startup_budget_seconds": 60, "metrics": {"port": 9090}, "port": 8000}
    found = problems(lambda: arguments(health={"readiness": readiness}, **given))
    assert [problem.value for problem in found] == [8000, 30]
