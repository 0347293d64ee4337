"""What happens on the twin, by watches: pods that disappear, ready endpoints over time, and events of controllers."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from components.base.objects import Manifest
from review.twin.client import Client, Watch
from review.twin.owners import Key, Owners, condition, is_ready, key
from review.twin.timing import Timing

_WATCHED = (
    ("v1", "Pod"), ("v1", "Service"), ("v1", "PersistentVolumeClaim"), ("v1", "Event"),
    ("apps/v1", "Deployment"), ("apps/v1", "ReplicaSet"), ("apps/v1", "StatefulSet"), ("apps/v1", "DaemonSet"),
    ("batch/v1", "Job"), ("discovery.k8s.io/v1", "EndpointSlice"),
)  # fmt: skip
_SERVICE = "kubernetes.io/service-name"

# Real seconds without a change after which the cluster is idle: controllers and the scheduler react faster.
_QUIET = 0.5
# Real seconds without a change after which pods are no longer expected to be created, scheduled, or ready.
_PATIENCE = 2.5
_POLL = 0.05

ServiceName = tuple[str, str]
"""Namespace and name of a Service."""


@dataclass(frozen=True)
class Sample:
    """The number of ready endpoints of a Service from a point in time on."""

    at: float
    """Simulated seconds since the recording began."""

    ready: int


@dataclass(frozen=True)
class Disappeared:
    """A pod that was deleted."""

    pod: Manifest
    """Its last version."""

    at: float

    @property
    def reason(self) -> str:
        """The reason of its DisruptionTarget condition: PreemptionByScheduler, EvictionByEvictionAPI; else empty."""
        found = condition(self.pod, "DisruptionTarget")
        return str(found.get("reason", "")) if found.get("status") == "True" else ""


class Recorder:
    """Records the changes of a cluster. Its caches are up to date with the API server within milliseconds."""

    def __init__(
        self, client: Client, timing: Timing, add_nodes: Callable[[], int] = lambda: 0, slowness: float = 1.0
    ) -> None:
        """``slowness`` multiplies all waiting times, for a machine with other load."""
        self._client, self._timing, self._add_nodes, self._slowness = client, timing, add_nodes, slowness
        self._lock = threading.Lock()
        self._objects: dict[Key, Manifest] = {}
        self._changed_at = self._began = time.monotonic()
        self._pending: set[str] = set()
        self._endpoints: dict[ServiceName, dict[str, frozenset[str]]] = {}
        self.samples: dict[ServiceName, list[Sample]] = {}
        self.disappeared: list[Disappeared] = []
        self.events: list[Manifest] = []

    @contextmanager
    def recording(self) -> Iterator["Recorder"]:
        """Record until the block ends."""
        threads: list[threading.Thread] = []
        watches: list[Watch] = []
        try:
            for version, kind in _WATCHED:
                items, since = self._client.list(version, kind)
                for item in items:
                    self._changed("ADDED", item, initial=True)
                watch = self._client.watch(version, kind, since)
                watches.append(watch)
                threads.append(threading.Thread(target=self._follow, args=(watch,), daemon=True))
            self.restart()
            for thread in threads:
                thread.start()
            yield self
        finally:
            for watch in watches:
                watch.stop()
            for thread in threads:
                thread.join()

    def restart(self) -> None:
        """Forget what was recorded, and begin at zero."""
        with self._lock:
            self._changed_at = self._began = time.monotonic()
            self.disappeared, self.events = [], []
            self._pending = {
                one["metadata"]["uid"]
                for one in self._objects.values()
                if condition(one, "PodScheduled").get("status") == "False"
            }
            self.samples = {name: [Sample(0.0, self._ready(name))] for name in self._endpoints}

    def touch(self) -> None:
        """Expect changes: an object was just changed, and its watch may be late."""
        with self._lock:
            self._changed_at = time.monotonic()

    def objects(self) -> list[Manifest]:
        """The current objects of the watched kinds, without events."""
        with self._lock:
            return list(self._objects.values())

    def get(self, identity: Key) -> Manifest | None:
        """The current version of an object of a watched kind."""
        with self._lock:
            return self._objects.get(identity)

    @property
    def now(self) -> float:
        """Simulated seconds since the recording began."""
        return (time.monotonic() - self._began) * self._timing.scale

    def settle(self, timeout: float, done: Callable[[], bool] = lambda: False) -> bool:
        """Wait until a condition is true, or the cluster is idle and no nodes can be added for pending pods.

        Returns False after a timeout in real seconds of an idle machine.
        """
        end = time.monotonic() + timeout * self._slowness
        while self.wait(lambda: done() or self.idle(), (end - time.monotonic()) / self._slowness):
            if done() or not self._add_nodes():
                return True
            self.touch()
        return False

    def wait(self, done: Callable[[], bool], timeout: float) -> bool:
        """Wait until a condition is true. Returns False after a timeout in real seconds of an idle machine."""
        end = time.monotonic() + timeout * self._slowness
        while not done():
            if time.monotonic() > end:
                return False
            time.sleep(_POLL)
        return True

    def idle(self) -> bool:
        """Whether nothing changes any more: pods that are not ready yet have a reason."""
        with self._lock:
            quiet = (time.monotonic() - self._changed_at) / self._slowness
            objects = list(self._objects.values())
            # A controller tries again, with increasing delays.
            is_retrying = any(event.get("reason") == "FailedCreate" for event in self.events)
        if quiet <= _QUIET:
            return False
        return quiet > _PATIENCE or not (is_retrying or any(map(self._is_moving, objects)))

    def _is_moving(self, manifest: Manifest) -> bool:
        """Whether an object is going to change by itself."""
        is_rejected = condition(manifest, "PodScheduled").get("status") == "False"
        if manifest["kind"] == "Pod" and is_rejected and "deletionTimestamp" not in manifest["metadata"]:
            # The scheduler tries again, with increasing delays. A pod that was pending before is no part of the change.
            return manifest["metadata"]["uid"] not in self._pending
        return _is_moving(manifest)

    def _follow(self, watch: Watch) -> None:
        for change, manifest in watch:
            if change in {"ADDED", "MODIFIED", "DELETED"}:
                self._changed(change, manifest)

    def _changed(self, change: str, manifest: Manifest, *, initial: bool = False) -> None:
        with self._lock:
            if manifest["kind"] == "Event":
                if not initial:
                    self.events.append(manifest)
                return
            self._changed_at = time.monotonic()
            if change == "DELETED":
                self._objects.pop(key(manifest), None)
                if manifest["kind"] == "Pod":
                    self.disappeared.append(Disappeared(manifest, self.now))
            else:
                self._objects[key(manifest)] = manifest
            if manifest["kind"] == "EndpointSlice":
                self._count(change, manifest)

    def _count(self, change: str, manifest: Manifest) -> None:
        metadata = manifest["metadata"]
        service = metadata["namespace"], (metadata.get("labels") or {}).get(_SERVICE, "")
        slices = self._endpoints.setdefault(service, {})
        slices[metadata["name"]] = frozenset() if change == "DELETED" else _ready_addresses(manifest)
        samples = self.samples.setdefault(service, [Sample(0.0, 0)])
        ready = self._ready(service)
        if samples[-1].ready != ready:
            samples.append(Sample(self.now, ready))

    def _ready(self, service: ServiceName) -> int:
        slices = self._endpoints[service].values()
        return len(frozenset().union(*slices))


def _ready_addresses(manifest: Manifest) -> frozenset[str]:
    return frozenset(
        str((endpoint.get("targetRef") or {}).get("uid") or endpoint["addresses"][0])
        for endpoint in manifest.get("endpoints") or []
        if (endpoint.get("conditions") or {}).get("ready") is not False
    )


def _is_moving(manifest: Manifest) -> bool:
    """Whether an object is going to change by itself."""
    kind, status = manifest["kind"], manifest.get("status") or {}
    if kind == "Pod":
        if "deletionTimestamp" in manifest["metadata"]:
            return not manifest["metadata"].get("finalizers")
        return status.get("phase") not in {"Succeeded", "Failed"} and not is_ready(manifest)
    if kind == "Deployment":  # minReadySeconds
        return int(status.get("readyReplicas") or 0) > int(status.get("availableReplicas") or 0)
    return False


def owners(recorder: Recorder) -> Owners:
    """The watched objects and their owners."""
    return Owners(recorder.objects())
