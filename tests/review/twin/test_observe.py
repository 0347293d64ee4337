"""What is recorded by watches."""

import time
from typing import Any

from components.base.objects import Manifest
from review.twin.observe import Disappeared, Recorder, Sample
from review.twin.owners import key
from review.twin.timing import Timing
from tests.review.twin.fake import FakeClient, endpoint_slice, pod, unscheduled, with_uid
from tests.review.twin.world import deployment

WEB = with_uid(deployment("web", "web", 2))


def eventually(recorder: Recorder, condition: Any) -> None:
    assert recorder.wait(condition, 5)


def test_endpoints_over_time() -> None:
    client = FakeClient(endpoint_slice("web", ["a", "b"]))
    with Recorder(client, Timing(scale=10)).recording() as recorder:
        for pods in (["a"], ["a"], []):
            client.put(endpoint_slice("web", pods))
        eventually(recorder, lambda: recorder.samples["web", "web"][-1].ready == 0)
        assert [sample.ready for sample in recorder.samples["web", "web"]] == [2, 1, 0]
        recorder.restart()
        assert recorder.samples["web", "web"] == [Sample(0.0, 0)]


def test_a_service_that_is_created_and_one_that_is_deleted() -> None:
    client = FakeClient(endpoint_slice("old", ["a"]))
    with Recorder(client, Timing()).recording() as recorder:
        client.remove(endpoint_slice("old", []))
        client.put(endpoint_slice("new", ["a"]))
        eventually(recorder, lambda: ("web", "new") in recorder.samples)
        eventually(recorder, lambda: recorder.samples["web", "old"][-1].ready == 0)
        assert [sample.ready for sample in recorder.samples["web", "new"]] == [0, 1]


def test_pods_that_disappear_and_events() -> None:
    preempted = pod("a", owner=WEB)
    condition = {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}
    event: Manifest = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "web"}}
    client = FakeClient(preempted, event)
    with Recorder(client, Timing()).recording() as recorder:
        preempted["status"]["conditions"].append(condition)
        client.put(preempted)
        client.remove(preempted)
        client.put(event)
        eventually(recorder, lambda: recorder.disappeared and recorder.events)
        (one,) = recorder.disappeared
        assert (one.pod["metadata"]["name"], one.reason) == ("a", "PreemptionByScheduler")
        assert len(recorder.events) == 1
        assert recorder.get(key(preempted)) is None
        recorder.restart()
        assert (recorder.disappeared, recorder.events) == ([], [])


def test_a_pod_that_is_deleted_has_no_reason() -> None:
    assert Disappeared(pod("a"), 0.0).reason == ""


def test_the_cluster_is_idle_when_nothing_moves() -> None:
    starting = pod("a", ready=False)
    client = FakeClient(WEB, starting, unscheduled("b", "no node", WEB))
    with Recorder(client, Timing()).recording() as recorder:
        assert not recorder.wait(recorder.idle, 0.8)  # the other one was pending before
        client.put(pod("a"))
        assert recorder.wait(recorder.idle, 2)
        recorder.touch()
        assert not recorder.idle()


def test_pods_that_are_deleted_and_pods_that_are_not_available_yet_move() -> None:
    deleted = pod("a")
    deleted["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    unavailable = {**WEB, "status": {"readyReplicas": 2, "availableReplicas": 1}}
    for moving in (deleted, unavailable):
        with Recorder(FakeClient(moving), Timing()).recording() as recorder:
            assert not recorder.wait(recorder.idle, 0.8)


def test_settling_adds_nodes_until_they_help_no_pod() -> None:
    added = iter([1, 0])
    with Recorder(FakeClient(), Timing(), lambda: next(added)).recording() as recorder:
        began = time.monotonic()
        assert recorder.settle(10)
        assert time.monotonic() - began > 0.9
        assert list(added) == []
        assert recorder.settle(10, lambda: True)
        recorder.touch()
        assert not recorder.settle(0)


def test_what_is_tried_again_moves() -> None:
    retried: Manifest = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "web"}}
    for change in (unscheduled("b", "no node", WEB), {**retried, "reason": "FailedCreate"}):
        client = FakeClient(WEB)
        with Recorder(client, Timing()).recording() as recorder:
            client.put(change)
            assert not recorder.wait(recorder.idle, 0.8)
            assert recorder.wait(recorder.idle, 3)
