"""When a twin is idle, and what does not work then."""

from typing import Any

import pytest

from components.base.objects import Manifest
from review.twin import settle as module
from review.twin.client import ApiError
from review.twin.etcd import Etcd
from review.twin.settle import Canary, baseline, settle
from tests.review.twin.fake import FakeClient, pod, unscheduled, with_uid

WRITE, HEARTBEAT = "/registry/pods/ml/a", "/registry/leases/kube-node-lease/a"


class Clock:
    """A clock that only sleep moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Storage(Etcd):
    """An etcd in which keys are written at points in time, in seconds."""

    def __init__(self, clock: Clock, writes: dict[float, str]) -> None:
        self._clock, self._writes = clock, sorted(writes.items())

    def revision(self) -> int:
        return sum(at <= self._clock.now + 1e-9 for at, _ in self._writes)

    def changed(self, since: int) -> set[str]:
        return {key for _, key in self._writes[since : self.revision()]}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


@pytest.mark.parametrize(
    ("writes", "seconds"),
    [
        ({}, 0.5),
        ({0.3: WRITE}, 0.8),
        ({0.3: WRITE, 0.7: WRITE}, 1.2),
        ({0.3: HEARTBEAT}, 0.5),
        ({0.22: HEARTBEAT, 0.25: WRITE}, 0.8),
    ],
)
def test_idle_means_no_change_but_heartbeats(clock: Clock, writes: dict[float, str], seconds: float) -> None:
    assert settle(Storage(clock, writes), quiet=0.5, timeout=10)
    assert clock.now == pytest.approx(seconds, abs=0.11)


def test_it_is_not_idle_before_its_controllers_have_started(clock: Clock) -> None:
    assert settle(Storage(clock, {}), quiet=0.5, timeout=10, ready=lambda: clock.now > 3)
    assert clock.now == pytest.approx(3.6, abs=0.11)


def test_a_cluster_that_never_becomes_idle(clock: Clock) -> None:
    writes = {number / 10: WRITE for number in range(200)}
    assert not settle(Storage(clock, writes), quiet=0.5, timeout=5)
    assert clock.now == pytest.approx(5, abs=0.11)


def canary_pod(condition: str) -> Manifest:
    labels = {"app": "twin-canary"}
    made = pod("twin-canary-1", "kube-system", status={"conditions": [{"type": condition, "status": "False"}]})
    made["metadata"]["labels"] = labels
    return made


@pytest.mark.parametrize("condition", ["PodScheduled", "ReplicaFailure"])
def test_the_canary_is_done_when_its_pod_was_rejected_and_is_gone(condition: str) -> None:
    client = FakeClient(pod("other", "kube-system"))
    canary = Canary(client)
    canary.create()
    assert not canary.is_done()
    client.put(canary_pod("Ready"))
    assert not canary.is_done()
    client.put(canary_pod(condition))
    assert not canary.is_done()
    assert [call for call in client.changes() if call[0] == "delete"] == [
        ("delete", "Deployment", "twin-canary"),
        ("delete", "Pod", "twin-canary-1"),
    ]
    assert canary.is_done()
    assert {one["metadata"]["name"] for one in client.objects.values()} == {"other"}


def test_the_garbage_collector_may_be_faster() -> None:
    client = FakeClient(canary_pod("PodScheduled"))
    canary = Canary(client)
    canary.create()
    client.errors[("delete", "twin-canary-1")] = ApiError(404, "not found")
    assert not canary.is_done()


def test_a_canary_is_removed_if_nothing_starts() -> None:
    client = FakeClient()
    canary = Canary(client)
    canary.create()
    canary.remove()
    canary.remove()
    assert [call[0] for call in client.changes()] == ["create", "delete"]


def workload(kind: str, name: str, replicas: int, version: str = "apps/v1", **status: Any) -> Manifest:
    head = {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": "web"}}
    return with_uid({**head, "spec": {"replicas": replicas}, "status": status})


def waiting(name: str, reason: str, message: str = "") -> Manifest:
    state = {"waiting": {"reason": reason, **({"message": message} if message else {})}}
    return pod(name, ready=False, status={"phase": "Pending", "containerStatuses": [{"state": state}]})


def reasons(*objects: Manifest) -> dict[str, str]:
    broken = baseline(FakeClient(*objects)).broken
    return {f"{kind} {name}": reason for (_, kind, _, name), reason in broken.items()}


def test_what_works_is_not_in_the_baseline() -> None:
    web = workload("Deployment", "web", 1)
    finished = pod("finished", ready=False, status={"phase": "Succeeded"})
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c", "namespace": "web"}}
    bound = {**claim, "status": {"phase": "Bound"}}
    assert reasons(web, pod("web-1", owner=web), finished, bound, workload("ReplicaSet", "old", 0)) == {}
    assert baseline(FakeClient()).settled
    assert not baseline(FakeClient(), settled=False).settled


def test_workloads_without_all_of_their_pods() -> None:
    web = workload("Deployment", "web", 2)
    assert reasons(web, pod("web-1", owner=web)) == {"Deployment web": "1 of 2 pods are ready"}
    denied = [{"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}]
    assert reasons(workload("Deployment", "web", 1, conditions=denied)) == {"Deployment web": "exceeded quota"}
    failed = [{"type": "Failed", "status": "True", "message": "BackoffLimitExceeded"}]
    job = workload("Job", "train", 0, "batch/v1", conditions=failed)
    assert reasons(job) == {"Job train": "BackoffLimitExceeded"}
    assert reasons(
        web, {**workload("ReplicaSet", "web-1", 2), "metadata": pod("web-1", owner=web)["metadata"]}
    ).keys() == {"Deployment web"}


def test_pods_with_the_reason_that_kubernetes_states() -> None:
    web = workload("Deployment", "web", 0)
    assert reasons(
        unscheduled("a", "0/4 nodes are available", web),
        waiting("b", "ImagePullBackOff", "Back-off"),
        waiting("c", "ContainerCreating"),
        pod("d", ready=False, status={"phase": "Failed", "message": "evicted"}),
        pod("e", ready=False, status={"phase": "Running", "conditions": [{"type": "Ready", "message": "unready"}]}),
        pod("f", ready=False, status={"phase": "Pending"}),
        pod("g", ready=False, status={}),
    ) == {
        "Pod a": "0/4 nodes are available",
        "Pod b": "ImagePullBackOff: Back-off",
        "Pod c": "ContainerCreating",
        "Pod d": "evicted",
        "Pod e": "unready",
        "Pod f": "Pending",
        "Pod g": "",
    }


def test_claims_that_are_not_bound() -> None:
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c", "namespace": "web"}}
    assert reasons({**claim, "status": {"phase": "Lost"}}) == {"PersistentVolumeClaim c": "Lost"}
    assert reasons(claim) == {"PersistentVolumeClaim c": "Pending"}
