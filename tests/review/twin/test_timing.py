"""Simulated time."""

from typing import Any

import pytest

from review.preview import UNKNOWN_TEXT
from review.twin.timing import GONE_AFTER, READY_AFTER, Timing, timing
from tests.edits import edited, put
from tests.review.twin.fake import pod, with_uid
from tests.review.twin.world import deployment

WEB = with_uid(deployment("web", "web", 3))
NAME = ("web", "Deployment", "web")


def with_container(**fields: Any) -> dict[str, Any]:
    return edited({"a": WEB}, *(put(f"a/spec/template/spec/containers/0/{name}", v) for name, v in fields.items()))["a"]


def test_the_startup_time_is_the_median_of_the_pods() -> None:
    pods = [pod(name, owner=WEB) for name in "abc"]
    pods[2]["status"]["conditions"][0]["lastTransitionTime"] = "2026-01-01T01:00:00Z"
    assert timing([WEB, *pods], [WEB]).startup[NAME] == 60


def test_restarted_pods_and_pods_of_simulated_nodes() -> None:
    restarted, immediate = pod("a", owner=WEB), pod("b", owner=WEB)
    restarted["status"]["containerStatuses"] = [{"restartCount": 1}]
    immediate["status"]["startTime"] = "2026-01-01T00:01:00Z"
    assert timing([WEB, restarted, immediate], [WEB]).startup[NAME] == 1


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({}, 5),
        ({"readinessProbe": {"initialDelaySeconds": 20}}, 20),
        ({"startupProbe": {"failureThreshold": 30, "periodSeconds": 10, "initialDelaySeconds": 5}}, 305),
        ({"startupProbe": {"failureThreshold": UNKNOWN_TEXT}}, 5),
    ],
)
def test_without_pods_the_startup_time_is_the_budget_of_the_probes(fields: dict[str, Any], seconds: float) -> None:
    assert timing([], [with_container(**fields)]).startup[NAME] == seconds


@pytest.mark.parametrize(
    ("hook", "seconds"),
    [
        (None, 1),
        ({"sleep": {"seconds": 10}}, 11),
        ({"exec": {"command": ["sh", "-c", "sleep 15"]}}, 16),
        ({"sleep": {"seconds": 500}}, 30),
    ],
)
def test_the_shutdown_time_is_that_of_the_hooks_within_the_grace_period(hook: Any, seconds: float) -> None:
    changed = with_container(lifecycle={"preStop": hook}) if hook else WEB
    assert timing([], [changed]).shutdown[NAME] == seconds


def test_the_scale_makes_a_rollout_short() -> None:
    slow = with_container(readinessProbe={"initialDelaySeconds": 600})
    found = timing([], [slow])
    assert found.scale == pytest.approx(720)  # three waves of 600 s in 2.5 s
    assert found.real(600) == "833ms"
    assert timing([], []).scale == 2


def test_a_rollout_in_many_waves_leaves_each_pod_enough_time() -> None:
    many = edited({"a": with_container(readinessProbe={"initialDelaySeconds": 600})}, put("a/spec/replicas", 40))["a"]
    assert timing([], [many]).scale == 1500
    assert timing([], [{**many, "kind": "StatefulSet"}]).scale == 1500
    assert timing([], [edited({"a": many}, put("a/spec/replicas", UNKNOWN_TEXT))["a"]]).scale == 240


def test_durations_of_controllers_are_scaled() -> None:
    one = edited({"a": WEB}, put("a/spec/minReadySeconds", 30))["a"]
    assert Timing(scale=10).scaled(one)["spec"]["minReadySeconds"] == 3
    assert Timing(scale=10).scaled(WEB) == WEB


def test_slow_workloads_that_do_not_change_are_cut_short() -> None:
    assert Timing(scale=1).real(1000) == "2000ms"


def test_the_policy_sets_the_annotations() -> None:
    durations, policy, binding = Timing({NAME: 60}, {NAME: 11}, 10).objects()
    assert durations["data"] == {
        "ready.default": "500ms",
        "gone.default": "100ms",
        "ready.web.Deployment.web": "2000ms",
        "gone.web.Deployment.web": "1100ms",
    }
    expression = policy["spec"]["mutations"][0]["applyConfiguration"]["expression"]
    assert READY_AFTER in expression
    assert GONE_AFTER in expression
    assert binding["spec"]["policyName"] == policy["metadata"]["name"]


def test_objects_of_controllers_and_unknown_names_have_no_entry() -> None:
    owned = pod("a", owner=WEB)
    unknown = edited({"a": WEB}, put("a/metadata/name", UNKNOWN_TEXT))["a"]
    assert set(timing([owned], [unknown]).shutdown) == set()
