"""What would happen after a change."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from components.base.objects import Manifest
from review.messages import Message
from review.twin.client import ApiError
from review.twin.observe import Recorder
from review.twin.owners import key
from review.twin.play import Played
from review.twin.timing import Timing
from review.twin.tomorrow import Tomorrow, Yesterday, selected_by_budgets
from tests.edits import Edit, edited, put
from tests.review.twin.fake import FakeClient, endpoint_slice, pod, unscheduled, with_uid
from tests.review.twin.previews import preview_of
from tests.review.twin.world import deployment, service, world

WEB = {**with_uid(deployment("web", "web", 1)), "status": {"updatedReplicas": 1}}
POD = pod("a", owner=WEB)
QUOTA = ApiError(403, "exceeded quota: quota, requested: pods=1, used: pods=1, limited: pods=1")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Idle after a moment, and no outage is too short."""
    monkeypatch.setattr("review.twin.observe._QUIET", 0.1)
    monkeypatch.setattr("review.twin.observe._POLL", 0.01)
    monkeypatch.setattr("review.twin.rollouts._NOISE", 0.0)


@contextmanager
def tomorrow(client: FakeClient) -> Iterator[Tomorrow]:
    with Recorder(client, Timing()).recording() as recorder:
        yield Tomorrow(client, recorder, Timing())


def codes(messages: Iterator[Message]) -> list[str]:
    return [one.code for one in messages]


def blocked() -> ApiError:
    causes = [{"message": "The disruption budget web needs 1 healthy pods and has 1 currently"}]
    return ApiError(429, "Cannot evict pod", {"details": {"causes": causes}})


def test_a_budget_that_blocks_evictions() -> None:
    client = FakeClient(WEB, POD)
    with tomorrow(client) as trials:
        assert codes(trials.drains([WEB], Yesterday())) == []
        client.errors["dry evict", "a"] = blocked()
        (message,) = trials.drains([WEB], Yesterday())
        assert message.values["error"] == "The disruption budget web needs 1 healthy pods and has 1 currently"
        assert codes(trials.drains([WEB], trials.yesterday([WEB]))) == []


def test_other_errors_of_evictions_and_workloads_that_do_not_serve() -> None:
    job = with_uid({**WEB, "kind": "Job"})
    client = FakeClient(WEB, POD, job, pod("b", owner=job))
    client.errors = {("dry evict", "a"): ApiError(404, "not found"), ("dry evict", "b"): blocked()}
    with tomorrow(client) as trials:
        assert codes(trials.drains([WEB, job], Yesterday())) == []


def test_pods_that_would_be_rejected() -> None:
    client = FakeClient(WEB, POD)
    client.errors["dry create", "restart-"] = ApiError(403, 'violates PodSecurity "restricted:latest": x')
    with tomorrow(client) as trials:
        (message,) = trials.restarts([WEB], Yesterday(), set())
        assert message.values["reason"].code == "pod-security-violated"  # type: ignore[attr-defined]
        assert codes(trials.restarts([WEB], trials.yesterday([WEB]), set())) == []
        assert codes(trials.restarts([WEB], Yesterday(), {key(WEB)})) == []
    assert client.changes() == []


def recreate(client: FakeClient, operation: str, one: Manifest) -> None:
    """A controller that creates pods again."""
    if operation == "delete" and one["kind"] == "Pod":
        client.put(pod("new", owner=WEB))


@pytest.mark.parametrize("admitted", [True, False])
def test_a_quota_that_is_used_up_is_tried_with_a_restart(admitted: bool) -> None:
    client = FakeClient(WEB, POD, react=recreate if admitted else None)
    client.errors["dry create", "restart-"] = QUOTA
    with tomorrow(client) as trials:
        assert codes(trials.restarts([WEB], trials.yesterday([WEB]), set())) == ([] if admitted else ["restart-fails"])
    assert client.changes() == [("delete", "Pod", "a")]


def test_a_bare_pod_is_not_deleted() -> None:
    client = FakeClient(POD)
    client.errors["dry create", "restart-"] = QUOTA
    with tomorrow(client) as trials:
        assert codes(trials.restarts([POD], Yesterday(), set())) == []
    assert client.changes() == []


def played(*edits: Edit, operation: str = "update") -> Played:
    before = {} if operation == "create" else {"web": WEB}
    (step,) = preview_of(before, edited({"web": WEB}, *edits)).steps
    return Played(step, step.manifest, "twin-test", force=False)


STRATEGY = put("web/spec/strategy", {"type": "Recreate"})


def test_the_next_version_of_a_workload_that_rolls_out_differently() -> None:
    def surge(client: FakeClient, operation: str, one: Manifest) -> None:
        if operation == "patch":
            client.put(unscheduled("new", "0/1 nodes are available: 1 Insufficient nvidia.com/gpu.", one))

    for change, expected in (
        (played(STRATEGY), ["next-version-stuck"]),
        (played(operation="create"), ["next-version-stuck"]),
        (played(put("web/spec/template/spec/nodeSelector", {"a": "b"})), []),
    ):
        with tomorrow(FakeClient(WEB, POD, react=surge)) as trials:
            assert codes(trials.next_version([change], [], set())) == expected
    with tomorrow(FakeClient(WEB, POD, react=surge)) as trials:
        assert codes(trials.next_version([played(STRATEGY)], [], {key(WEB)})) == []


def test_a_rollout_that_has_begun_is_not_awaited() -> None:
    """The second pod waits for the first one to terminate, and would be reported otherwise."""

    def first_pod(client: FakeClient, operation: str, one: Manifest) -> None:
        if operation == "patch":
            client.put(pod("new", owner=one))
            client.put(unscheduled("next", "0/1 nodes are available: 1 Insufficient nvidia.com/gpu.", one))

    with tomorrow(FakeClient(WEB, POD, react=first_pod)) as trials:
        assert codes(trials.next_version([played(STRATEGY)], [], set())) == []


def test_an_outage_of_the_next_version() -> None:
    def replace_at_once(client: FakeClient, operation: str, one: Manifest) -> None:
        if operation == "patch":
            client.put(endpoint_slice("web", []))
            client.put(endpoint_slice("web", ["new"]))

    objects = (WEB, POD, service("web", "web"), endpoint_slice("web", ["a"]))
    with tomorrow(FakeClient(*objects, react=replace_at_once)) as trials:
        assert codes(trials.next_version([played(STRATEGY)], [], set())) == ["next-version-outage"]
    with tomorrow(FakeClient(*objects, react=replace_at_once)) as trials:
        assert codes(trials.next_version([played(operation="create")], [], set())) == []


def test_workloads_that_a_budget_selects() -> None:
    objects = world()
    (step,) = preview_of({}, {"budget": objects["web-budget"]}).steps
    budget = Played(step, objects["web-budget"], "twin-test", force=False)
    other = deployment("web", "other", 1)
    assert selected_by_budgets([budget], [*objects.values(), other]) == [objects["web"]]
