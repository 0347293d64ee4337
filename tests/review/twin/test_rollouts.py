"""Ready endpoints over time."""

from review.twin.observe import Sample
from review.twin.rollouts import Rollout, rollouts, selected_workloads
from tests.edits import edited, put
from tests.review.twin.fake import pod, with_uid
from tests.review.twin.world import deployment, service

WEB, SERVICE = with_uid(deployment("web", "web", 3)), service("web", "web")
NAME = ("web", "web")


def rollout(*samples: tuple[float, int], end: float = 100.0, scale: float = 1.0) -> Rollout:
    recorded = {NAME: [Sample(*sample) for sample in samples]}
    (found,) = rollouts([WEB, SERVICE], [WEB, SERVICE], recorded, end, scale)
    return found


def test_an_outage() -> None:
    found = rollout((0, 3), (10, 2), (20, 0), (50, 1), (60, 3))
    assert (found.minimum, found.below_seconds, found.zero_seconds, found.seconds) == (0, 50, 30, 100)
    assert (found.ready_before, found.ready_after, found.wanted_before, found.wanted_after) == (3, 3, 3, 3)


def test_dips_of_controllers_do_not_count() -> None:
    assert rollout((0, 3), (10, 0), (19, 3), scale=100).zero_seconds == 0


def test_a_service_that_starts_or_ends_without_endpoints_has_no_outage() -> None:
    assert rollout((0, 0), (10, 3)).zero_seconds == 0
    assert rollout((0, 3), (10, 0)).zero_seconds == 0


def test_a_new_service_is_below_what_it_wants_afterwards() -> None:
    (found,) = rollouts([], [WEB, SERVICE], {}, 10, 1)
    assert (found.wanted_before, found.wanted_after, found.below_seconds) == (0, 3, 10)


def test_services_without_selector_or_pods_are_left_out() -> None:
    headless = edited({"a": SERVICE}, put("a/spec", {}))["a"]
    idle = edited({"a": SERVICE}, put("a/spec/selector", {"app": "none"}))["a"]
    assert rollouts([headless, WEB], [headless, WEB], {NAME: [Sample(0, 3)]}, 10, 1) == []
    assert rollouts([idle, WEB], [idle, WEB], {}, 10, 1) == []


def test_selected_workloads() -> None:
    other = deployment("web", "other", 1)
    owned = pod("a", owner=WEB)
    owned["metadata"]["labels"] = {"app": "web"}
    assert selected_workloads(SERVICE, [WEB, other, owned, SERVICE]) == [WEB]
