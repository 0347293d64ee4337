"""Objects and their owners: which workload a pod belongs to, and how many pods it wants and has."""

from collections.abc import Iterable, Mapping
from typing import Any

from components.base.objects import Manifest

Key = tuple[str, str, str, str]
"""API group, kind, namespace and name of an object."""


def key(manifest: Manifest) -> Key:
    """The identity of an object, independent of the version of its API."""
    metadata = manifest["metadata"]
    group = str(manifest["apiVersion"]).rpartition("/")[0]
    return group, str(manifest["kind"]), str(metadata.get("namespace") or ""), str(metadata["name"])


def controller_of(manifest: Manifest) -> Manifest | None:
    """The owner reference of an object's controller."""
    references: list[Manifest] = manifest["metadata"].get("ownerReferences") or []
    return next((reference for reference in references if reference.get("controller")), None)


class Owners:
    """The objects of a cluster, and their controllers."""

    def __init__(self, objects: Iterable[Manifest]) -> None:
        self.objects = list(objects)
        self._by_uid = {one["metadata"]["uid"]: one for one in self.objects if "uid" in one["metadata"]}

    def root(self, manifest: Manifest) -> Manifest:
        """The workload that an object belongs to: the last controller in its chain of owners, or the object itself."""
        owner = controller_of(manifest)
        found = self._by_uid.get(owner["uid"]) if owner else None
        return self.root(found) if found is not None else manifest

    def of_kind(self, *kinds: str) -> list[Manifest]:
        """The objects of some kinds."""
        return [one for one in self.objects if one["kind"] in kinds]

    def pods(self) -> dict[Key, list[Manifest]]:
        """The pods of each workload that are not finished or being deleted."""
        found: dict[Key, list[Manifest]] = {}
        for pod in self.of_kind("Pod"):
            finished = (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}
            if not finished and "deletionTimestamp" not in pod["metadata"]:
                found.setdefault(key(self.root(pod)), []).append(pod)
        return found

    def descendants(self, root: Manifest) -> list[Manifest]:
        """The objects that belong to a workload, and the workload."""
        wanted = key(root)
        return [one for one in self.objects if key(self.root(one)) == wanted]


def condition(manifest: Manifest, kind: str) -> Mapping[str, Any]:
    """A condition of an object; empty if it has none of this type."""
    conditions = (manifest.get("status") or {}).get("conditions") or []
    return next((one for one in conditions if one.get("type") == kind), {})


def is_ready(pod: Manifest) -> bool:
    """Whether a pod is ready."""
    return condition(pod, "Ready").get("status") == "True" and "deletionTimestamp" not in pod["metadata"]


def wanted_pods(workload: Manifest) -> int | None:
    """The number of pods that a workload keeps running; None for a kind that keeps none."""
    spec, status = workload.get("spec") or {}, workload.get("status") or {}
    kind = workload["kind"]
    if kind in {"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"}:
        replicas = spec.get("replicas")
        return 1 if replicas is None else int(replicas)
    if kind == "DaemonSet":
        return int(status.get("desiredNumberScheduled") or 0)
    if kind == "Job":
        return wanted_by_job(spec, status)
    return 1 if kind == "Pod" else None


def wanted_by_job(spec: Manifest, status: Manifest) -> int:
    """The number of pods that a job runs now."""
    if spec.get("suspend") or status.get("completionTime"):
        return 0
    if any(one.get("type") == "Failed" and one.get("status") == "True" for one in status.get("conditions") or []):
        return 0
    parallelism = int(1 if spec.get("parallelism") is None else spec["parallelism"])
    left = int(spec.get("completions") or parallelism) - int(status.get("succeeded") or 0)
    return max(0, min(parallelism, left))
