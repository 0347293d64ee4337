"""Rollouts of a ModelService."""

from typing import Any

import pytest

from components.model_service.rollout import rollout_steps, rollout_warnings, surge_pods
from tests.model_services import arguments, container, objects, template
from tests.problems import errors, found

SURGE = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}}
REPLACE = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}


@pytest.mark.parametrize(("rollout", "strategy"), [("surge", SURGE), ("replace", REPLACE)])
def test_a_rollout_is_a_rolling_update(rollout: str, strategy: Any) -> None:
    assert objects(rollout=rollout)["deployment"]["spec"]["strategy"] == strategy


@pytest.mark.parametrize(("pods", "surge", "steps"), [(1, 1, 1), (3, 1, 3), (4, 1, 4), (5, 2, 3), (8, 2, 4)])
def test_a_surge_adds_a_quarter_of_the_pods_at_each_step(pods: int, surge: int, steps: int) -> None:
    assert (surge_pods(pods), rollout_steps("surge", pods)) == (surge, steps)
    assert rollout_steps("replace", pods) == pods


def test_a_terminating_pod_continues_to_serve_during_the_prestop_delay() -> None:
    assert container()["lifecycle"] == {"preStop": {"sleep": {"seconds": 15}}}
    assert template()["spec"]["terminationGracePeriodSeconds"] == 45
    assert template(drain_seconds=60)["spec"]["terminationGracePeriodSeconds"] == 90


def test_a_delay_of_zero_has_no_hook() -> None:
    assert "lifecycle" not in container(drain_seconds=0)
    assert "terminationGracePeriodSeconds" not in template(drain_seconds=0)["spec"]


def test_pods_are_evicted_one_at_a_time() -> None:
    spec = objects()["disruption-budget"]["spec"]
    assert spec["maxUnavailable"] == 1
    assert spec["selector"] == {"matchLabels": {"app": "bert"}}
    assert spec["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    assert objects(disruption={"max_unavailable": "25%"})["disruption-budget"]["spec"]["maxUnavailable"] == "25%"


@pytest.mark.parametrize("pods", [0, -1, "0%", "101%", "25", 2**31, True])
def test_max_unavailable_is_a_positive_number_or_a_percentage(pods: Any) -> None:
    expected = [("count-or-percentage", "disruption.max_unavailable")]
    assert errors(lambda: arguments(disruption={"max_unavailable": pods})) == expected


def test_the_pods_of_each_version_are_spread_over_nodes_and_zones() -> None:
    constraints = template()["spec"]["topologySpreadConstraints"]
    assert [constraint["topologyKey"] for constraint in constraints] == [
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
    ]
    assert {tuple(constraint["matchLabelKeys"]) for constraint in constraints} == {("pod-template-hash",)}


def test_a_replacement_of_the_only_pod_interrupts_the_service() -> None:
    expected = [("rollout-interrupts", "rollout")]
    (with_gpus,) = rollout_warnings("replace", 1, {"nvidia.com/gpu": "1"}, {})
    (with_volume,) = rollout_warnings("replace", 1, {}, {})
    assert found([with_gpus]) == found([with_volume]) == expected
    assert with_gpus.fix != with_volume.fix
    assert list(rollout_warnings("replace", 2, {}, {})) == []


def test_a_surge_of_gpus_needs_a_quota_that_reserves_them() -> None:
    gpus = {"nvidia.com/gpu": "2"}
    (warning,) = rollout_warnings("surge", 5, gpus, {"requests.cpu": "4"})
    assert found([warning]) == [("surge-unreserved", "rollout")]
    assert "4 more nvidia.com/gpu" in warning.message  # two pods of two GPUs each
    assert list(rollout_warnings("surge", 5, gpus, {"requests.nvidia.com/gpu": "14"})) == []
    assert list(rollout_warnings("surge", 5, {}, {})) == []
