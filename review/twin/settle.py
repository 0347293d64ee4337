"""Waits until the controllers and the scheduler of a twin are idle, and records what does not work then."""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from components.base.objects import Manifest
from review.twin.client import ApiError, Client
from review.twin.etcd import Etcd
from review.twin.owners import Key, Owners, condition, is_ready, key, wanted_pods

# Seconds.
_POLL_INTERVAL = 0.1
_CANARY, _CANARY_NAMESPACE = "twin-canary", "kube-system"
# Heartbeats and records, which never end.
_NOISE = re.compile(r"/registry/(leases|events|masterleases|peerserverleases|minions)/")

_PODS, _REPLICA_SETS = ("v1", "Pod"), ("apps/v1", "ReplicaSet")
_KINDS = (
    _PODS,
    _REPLICA_SETS,
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("batch/v1", "Job"),
    ("v1", "PersistentVolumeClaim"),
)


@dataclass(frozen=True)
class Baseline:
    """The state of a cluster before a change."""

    broken: Mapping[Key, str] = field(default_factory=dict)
    """Objects that do not work: pods that are not ready or not scheduled, workloads without all of their pods, unbound
    claims. The value is the reason that Kubernetes states; it may be empty."""

    settled: bool = True
    """Whether the cluster was idle within the time limit."""


def settle(etcd: Etcd, *, quiet: float = 0.4, timeout: float = 30.0, ready: Callable[[], bool] = lambda: True) -> bool:
    """Wait until nothing has changed for ``quiet`` seconds and ``ready`` was true; False after ``timeout`` seconds."""
    end = time.monotonic() + timeout
    revision, is_ready, idle_since = etcd.revision(), False, time.monotonic()
    while time.monotonic() < end:
        time.sleep(_POLL_INTERVAL)
        was_ready, is_ready = is_ready, is_ready or ready()
        current = etcd.revision()
        # A deleted object has no key: a deletion is always accompanied by an update, of its owner or namespace.
        if not (is_ready and was_ready) or (current != revision and not all(map(_NOISE.match, etcd.changed(revision)))):
            idle_since = time.monotonic()
        elif time.monotonic() - idle_since >= quiet:
            return True
        revision = current
    return False


class Canary:
    """A Deployment that shows whether the controllers and the scheduler have started.

    They leave no other sign if they have nothing to do. The pod of the Deployment fits on no node.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._deployment: Manifest | None = None

    def create(self) -> None:
        """Create the Deployment."""
        labels = {"app": _CANARY}
        pod = {
            "nodeSelector": {_CANARY: "none"},
            "automountServiceAccountToken": False,
            "containers": [{"name": _CANARY, "image": _CANARY}],
        }
        spec = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}
        metadata = {"name": _CANARY, "namespace": _CANARY_NAMESPACE}
        self._deployment = self._client.create(
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}
        )

    def is_done(self) -> bool:
        """Whether the scheduler has rejected the pod, and everything has been deleted since."""
        found = [one for kind in (_REPLICA_SETS, _PODS) for one in self._client.list(*kind, _CANARY_NAMESPACE)[0]]
        own = [one for one in found if (one["metadata"].get("labels") or {}).get("app") == _CANARY]
        if self._deployment is not None:
            # ReplicaFailure: a policy of the cluster has denied the pod.
            if not any(condition(one, kind) for one in own for kind in ("PodScheduled", "ReplicaFailure")):
                return False
            self.remove()
        for one in own:  # the garbage collector starts last
            with suppress(ApiError):  # it has done so
                self._client.delete(one)
        return not own

    def remove(self) -> None:
        """Delete the Deployment, if it exists."""
        if self._deployment is not None:
            self._client.delete(self._deployment)
            self._deployment = None


def baseline(client: Client, *, settled: bool = True) -> Baseline:
    """What does not work now."""
    return Baseline(dict(broken(objects(client))), settled)


def objects(client: Client) -> list[Manifest]:
    """The objects whose state a baseline has."""
    served = client.resources()
    return [one for kind in _KINDS if kind in served for one in client.list(*kind)[0]]


def broken(found: Iterable[Manifest]) -> Iterator[tuple[Key, str]]:
    """The objects that do not work, each with the reason that Kubernetes states."""
    owners = Owners(found)
    ready = {workload: sum(map(is_ready, pods)) for workload, pods in owners.pods().items()}
    for one in owners.objects:
        status = one.get("status") or {}
        if one["kind"] == "Pod":
            if status.get("phase") == "Failed" or (status.get("phase") != "Succeeded" and not is_ready(one)):
                yield key(one), _reason_of_pod(one)
        elif one["kind"] == "PersistentVolumeClaim":
            if status.get("phase") != "Bound":
                yield key(one), str(status.get("phase") or "Pending")
        elif owners.root(one) is one:
            wanted = wanted_pods(one) or 0
            failed = next((condition(one, kind) for kind in ("ReplicaFailure", "Failed") if condition(one, kind)), {})
            if failed.get("status") == "True" or ready.get(key(one), 0) < wanted:
                yield key(one), str(failed.get("message") or f"{ready.get(key(one), 0)} of {wanted} pods are ready")


def _reason_of_pod(pod: Manifest) -> str:
    status = pod.get("status") or {}
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        return str(scheduled.get("message") or scheduled.get("reason") or "")
    reasons = [
        ": ".join(filter(None, (state["reason"], state.get("message"))))
        for part in ("initContainerStatuses", "containerStatuses")
        for one in status.get(part) or []
        for state in (one.get("state") or {}).values()
        if state.get("reason")
    ]
    waiting = next(iter(reasons), "")
    return str(status.get("message") or waiting or condition(pod, "Ready").get("message") or status.get("phase") or "")
