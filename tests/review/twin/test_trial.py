"""A whole trial, against an API server in memory."""

import pytest

from components.base.objects import Manifest
from review.twin.client import ApiError
from review.twin.timing import Timing
from review.twin.trial import all_objects, try_change
from tests.edits import edited, put
from tests.review.twin.fake import FakeClient, endpoint_slice, pod, with_uid
from tests.review.twin.previews import preview_of
from tests.review.twin.world import deployment, service

SERVICE = service("web", "web")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Idle after a moment."""
    monkeypatch.setattr("review.twin.observe._QUIET", 0.1)
    monkeypatch.setattr("review.twin.observe._POLL", 0.01)


def controller(client: FakeClient, operation: str, one: Manifest) -> None:
    """A Deployment is rolled out at once."""
    if one["kind"] == "Deployment" and operation == "apply":
        replicas = one["spec"]["replicas"]
        status = dict.fromkeys(("updatedReplicas", "availableReplicas", "replicas", "readyReplicas"), replicas)
        client.put({**one, "status": status})


def cluster() -> tuple[FakeClient, Manifest]:
    web = with_uid(deployment("web", "web", 1))
    web["status"] = {"updatedReplicas": 1}
    return FakeClient(web, pod("a", owner=web), SERVICE, endpoint_slice("web", ["a"]), react=controller), web


def test_a_change_without_faults() -> None:
    client, web = cluster()
    report = try_change(
        client, preview_of({"web": web}, edited({"web": web}, put("web/metadata/labels", {"a": "b"}))), Timing()
    )
    assert (report.problems, report.warnings, report.notes) == ((), (), ())
    assert [(one.target, one.ready_before, one.ready_after) for one in report.rollouts] == [("Service web/web", 1, 1)]
    assert set(report.durations) == {"read", "yesterday", "play", "read again", "second apply", "tomorrow"}


def test_a_change_with_faults() -> None:
    client, web = cluster()
    client.errors["dry evict", "a"] = ApiError(429, "blocked")
    changed = edited({"web": web, "service": SERVICE}, put("web/spec/replicas", 2))
    report = try_change(client, preview_of({"web": web, "service": SERVICE}, changed), Timing())
    assert [one.code for one in report.warnings] == ["pods-missing"]


def test_all_objects_of_served_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    client, _ = cluster()
    assert len(all_objects(client)) == 4
    listed = client.list

    def failing(version: str, kind: str, namespace: str = "") -> tuple[list[Manifest], str]:
        if kind == "Pod":
            raise ApiError(status, "failed")
        return listed(version, kind, namespace)

    monkeypatch.setattr(client, "list", failing)
    status = 404
    assert len(all_objects(client)) == 3
    status = 500
    with pytest.raises(ApiError):
        all_objects(client)
