"""An API server in memory, for the modules that try a change. It has no controllers: reactions stand in for them."""

import copy
import queue
from collections.abc import Callable, Iterator
from typing import Any

from components.base.objects import Manifest
from review.twin.client import ApiError, Client, Resource
from review.twin.owners import Key, key

_CLUSTER = {
    "Namespace", "Node", "PersistentVolume", "StorageClass", "PriorityClass", "CustomResourceDefinition",
    "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding",
}  # fmt: skip
_SERVED = (
    ("v1", "Pod"), ("v1", "Service"), ("v1", "PersistentVolumeClaim"), ("v1", "Event"), ("v1", "Namespace"),
    ("v1", "Secret"), ("v1", "ConfigMap"), ("v1", "PersistentVolume"), ("v1", "ResourceQuota"), ("v1", "Node"),
    ("apps/v1", "Deployment"), ("apps/v1", "ReplicaSet"), ("apps/v1", "StatefulSet"), ("apps/v1", "DaemonSet"),
    ("batch/v1", "Job"), ("discovery.k8s.io/v1", "EndpointSlice"), ("storage.k8s.io/v1", "StorageClass"),
    ("policy/v1", "PodDisruptionBudget"), ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"), ("networking.k8s.io/v1", "Ingress"),
)  # fmt: skip
_VERBS = frozenset({"list", "watch", "create"})

Reaction = Callable[["FakeClient", str, Manifest], None]
"""Called with the operation (apply, create, patch, delete) and the object after it."""


class FakeWatch:
    """The changes of one kind."""

    def __init__(self) -> None:
        self.changes: queue.Queue[tuple[str, Manifest] | None] = queue.Queue()

    def __iter__(self) -> Iterator[tuple[str, Manifest]]:
        while (change := self.changes.get()) is not None:
            yield change

    def stop(self) -> None:
        self.changes.put(None)


class FakeClient(Client):
    """Objects in memory."""

    def __init__(self, *objects: Manifest, react: Reaction | None = None) -> None:
        self.objects: dict[Key, Manifest] = {}
        self.calls: list[tuple[Any, ...]] = []
        self.errors: dict[tuple[str, str], ApiError] = {}
        """Operation and name of an object → the error."""

        self._react = react
        self._watches: dict[str, list[FakeWatch]] = {}
        self._resources = {
            (version, kind): Resource(version, kind, kind.lower(), kind not in _CLUSTER, _VERBS, frozenset())
            for version, kind in _SERVED
        }
        for one in objects:
            self.put(one)

    def put(self, manifest: Manifest) -> Manifest:
        """Store an object, with a UID that is derived from its identity."""
        stored = copy.deepcopy(manifest)
        stored["metadata"].setdefault("uid", "/".join(key(manifest)))
        change = "MODIFIED" if key(stored) in self.objects else "ADDED"
        self.objects[key(stored)] = stored
        self._emit(change, stored)
        return stored

    def remove(self, manifest: Manifest) -> None:
        """Remove an object at once."""
        stored = self.objects.pop(key(manifest), None)
        if stored is not None:
            self._emit("DELETED", stored)

    def _emit(self, change: str, stored: Manifest) -> None:
        for watch in self._watches.get(stored["kind"], []):
            watch.changes.put((change, copy.deepcopy(stored)))

    def resources(self, *, refresh: bool = False) -> dict[tuple[str, str], Resource]:
        del refresh
        return dict(self._resources)

    def get(self, manifest: Manifest) -> Manifest | None:
        self.resource(manifest["apiVersion"], manifest["kind"])
        found = self.objects.get(key(manifest))
        return copy.deepcopy(found) if found else None

    def changes(self) -> list[tuple[Any, ...]]:
        """Operation, kind and name of all calls that were not dry runs."""
        return [call[:3] for call in self.calls if "dry run" not in call]

    def list(self, version: str, kind: str, namespace: str = "") -> tuple[list[Manifest], str]:
        found = [one for identity, one in self.objects.items() if identity[1] == kind and one["apiVersion"] == version]
        kept = [one for one in found if not namespace or one["metadata"].get("namespace") == namespace]
        return copy.deepcopy(kept), "1"

    def create(self, manifest: Manifest, *, dry_run: bool = False) -> Manifest:
        name = manifest["metadata"].get("name") or manifest["metadata"]["generateName"]
        self._call("create", name, manifest, dry_run)
        return manifest if dry_run else self._done("create", self.put(manifest))

    def apply(self, manifest: Manifest, manager: str, *, force: bool = False, dry_run: bool = False) -> Manifest:
        self.path(manifest)
        self._call("apply", manifest["metadata"]["name"], manifest, dry_run, manager, force)
        merged = _merged(self.objects.get(key(manifest)) or {}, manifest)
        return merged if dry_run else self._done("apply", self.put(merged))

    def patch(self, manifest: Manifest, patch: Manifest, subresource: str = "") -> Manifest:
        self._call("patch", manifest["metadata"]["name"], patch, False, subresource)
        return self._done("patch", self.put(_merged(self.objects[key(manifest)], patch)))

    def delete(self, manifest: Manifest, propagation: str = "Background") -> None:
        self._call("delete", manifest["metadata"]["name"], manifest, False, propagation)
        if key(manifest) not in self.objects:
            raise ApiError(404, "not found")
        stored = self.objects[key(manifest)]
        if stored["metadata"].get("finalizers"):
            self.put({**stored, "metadata": {**stored["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}})
        else:
            self.remove(stored)
        self._done("delete", stored)

    def evict(self, pod: Manifest, *, dry_run: bool = False) -> None:
        self._call("evict", pod["metadata"]["name"], pod, dry_run)

    def watch(self, version: str, kind: str, since: str) -> Any:
        del version, since
        watch = FakeWatch()
        self._watches.setdefault(kind, []).append(watch)
        return watch

    def _call(self, operation: str, name: str, manifest: Manifest, dry_run: bool, *details: Any) -> None:
        self.calls.append((operation, manifest.get("kind", ""), name, *(["dry run"] if dry_run else []), *details))
        error = self.errors.get((f"dry {operation}" if dry_run else operation, name))
        if error is not None:
            raise error

    def _done(self, operation: str, stored: Manifest) -> Manifest:
        if self._react is not None:
            self._react(self, operation, copy.deepcopy(stored))
        return copy.deepcopy(self.objects.get(key(stored), stored))


def _merged(old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{name: _merged(old.get(name), value) for name, value in new.items()}}
    return copy.deepcopy(new)


def pod(
    name: str, namespace: str = "web", *, owner: Manifest | None = None, ready: bool = True, **fields: Any
) -> Manifest:
    """A pod, which a workload may own."""
    metadata: Manifest = {"name": name, "namespace": namespace, "uid": f"pod-{name}"}
    if owner is not None:
        reference = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"]}
        metadata["ownerReferences"] = [{**reference, "uid": owner["metadata"]["uid"], "controller": True}]
    status = {
        "phase": "Running" if ready else "Pending",
        "startTime": "2026-01-01T00:00:00Z",
        "conditions": [
            {"type": "Ready", "status": str(ready), "lastTransitionTime": "2026-01-01T00:01:00Z"},
            {"type": "PodScheduled", "status": "True"},
        ],
    }
    made = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": []}, "status": status}
    return {**made, **fields}


def unscheduled(name: str, message: str, owner: Manifest) -> Manifest:
    """A pod that the scheduler has rejected."""
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    return pod(name, owner=owner, ready=False, status={"phase": "Pending", "conditions": [condition]})


def with_uid(manifest: Manifest) -> Manifest:
    """An object of a cluster."""
    made = copy.deepcopy(manifest)
    made["metadata"]["uid"] = "/".join(key(manifest))
    return made


def endpoint_slice(service: str, pods: list[str], namespace: str = "web") -> Manifest:
    """The ready endpoints of a Service."""
    labels = {"kubernetes.io/service-name": service}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": f"{service}-1", "namespace": namespace, "labels": labels},
        "endpoints": [
            {"addresses": ["10.0.0.1"], "targetRef": {"uid": name}, "conditions": {"ready": True}} for name in pods
        ],
    }
