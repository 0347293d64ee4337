"""The objects of a cluster before or after a change: by name, by kind, and the pods that they run."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from components.base.objects import WORKLOADS, Manifest, containers, pod_templates, selects
from review.effects.known import known

# Kinds without a namespace, by the conventions of their names.
_CLUSTER_SCOPED = re.compile(
    r"Class$|^Cluster|AdmissionPolicy(Binding)?$|WebhookConfiguration$|Content$|Definition$|^APIService$"
    r"|^PersistentVolume$|^Namespace$|^Node$"
)
# Groups whose kinds are written without the group.
_BUILT_IN_GROUP = re.compile(r"[a-z]*|.*\.k8s\.io")


@dataclass(frozen=True, order=True, slots=True)
class Key:
    """Identifies an object."""

    kind: str
    """With the group, unless it is one of Kubernetes: ``Certificate.cert-manager.io``."""

    namespace: str
    """Empty if the object has none."""

    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


def kind_of(manifest: Manifest) -> str:
    """The kind of an object, with its group unless it is one of Kubernetes."""
    group = str(manifest.get("apiVersion", "v1")).rpartition("/")[0]
    kind: str = manifest["kind"]
    return kind if _BUILT_IN_GROUP.fullmatch(group) else f"{kind}.{group}"


def is_built_in(manifest: Manifest) -> bool:
    """Whether an object is of a group of Kubernetes."""
    return "." not in kind_of(manifest)


def is_cluster_scoped(kind: str) -> bool:
    """Whether objects of a kind of Kubernetes have no namespace."""
    return _CLUSTER_SCOPED.search(kind) is not None


def key_of(manifest: Manifest) -> Key | None:
    """The key of an object; None if its name or namespace is unknown before deployment."""
    metadata = manifest.get("metadata")
    if not isinstance(metadata, Mapping):
        return None
    name, namespace = metadata.get("name"), metadata.get("namespace", "")
    if not isinstance(name, str) or not isinstance(namespace, str):
        return None
    kind = kind_of(manifest)
    if is_cluster_scoped(kind):
        return Key(kind, "", name)
    return Key(kind, namespace if namespace or not is_built_in(manifest) else "default", name)


@dataclass(frozen=True, eq=False)
class Pods:
    """The pods of one template, or one pod without a known owner."""

    key: Key
    """Their workload."""

    manifest: Manifest
    """The object of the workload."""

    namespace: str
    labels: Mapping[str, str]
    spec: Manifest

    @cached_property
    def ports(self) -> tuple[tuple[str, int, str], ...]:
        """Protocol, number and name (or an empty text) of the ports that they declare."""
        return tuple(
            (port.get("protocol") or "TCP", int(port["containerPort"]), port.get("name") or "")
            for container in containers(self.spec)
            for port in container.get("ports") or []
            if "containerPort" in port
        )


class World:
    """All known objects of a cluster at one point in time."""

    def __init__(self, manifests: Iterable[Manifest], uncertain: Collection[Manifest] = ()) -> None:
        self.objects: dict[Key, Manifest] = {}
        self.uncertain: set[Key] = set()
        """Objects that exist, but of which too much is unknown before deployment to check them."""
        self._by_kind: dict[str, list[tuple[Key, Manifest]]] = defaultdict(list)
        for manifest in manifests:
            key = key_of(manifest)
            if key is not None:
                self.objects[key] = manifest
        for manifest in uncertain:
            key = key_of(manifest)
            if key is not None:
                self.uncertain.add(key)
                self.objects.pop(key, None)
        for key, manifest in self.objects.items():
            self._by_kind[key.kind].append((key, manifest))

    def items(self, *kinds: str) -> list[tuple[Key, Manifest]]:
        """The objects of some kinds with their keys."""
        return [item for kind in kinds for item in self._by_kind.get(kind, ())]

    def of_kind(self, *kinds: str) -> list[Manifest]:
        """The objects of some kinds."""
        return [manifest for _, manifest in self.items(*kinds)]

    def get(self, kind: str, namespace: str, name: str) -> Manifest | None:
        """An object by name."""
        return self.objects.get(Key(kind, namespace, name))

    @cached_property
    def pods(self) -> list[Pods]:
        """The pods of all workloads. Pods whose workload is known are those of its template."""
        return [pods for key, manifest in self.items(*sorted(WORKLOADS)) for pods in self._pods(key, manifest)]

    @cached_property
    def pods_by_namespace(self) -> Mapping[str, Sequence[Pods]]:
        """The pods by namespace."""
        found: dict[str, list[Pods]] = defaultdict(list)
        for pods in self.pods:
            found[pods.namespace].append(pods)
        return found

    def _pods(self, key: Key, manifest: Manifest) -> Iterator[Pods]:
        owner = controller_of(manifest)
        if is_finished(manifest) or (owner in self.objects and owner.kind in WORKLOADS):
            return
        for template in pod_templates(manifest):
            labels = (template.get("metadata") or {}).get("labels") or {}
            yield Pods(key, manifest, key.namespace, labels, template.get("spec") or {})

    def selected(self, namespace: str, selector: Manifest | None) -> list[Pods]:
        """The pods of a namespace that a selector matches."""
        if selector is None:
            return []
        return [pods for pods in self.pods_by_namespace.get(namespace, ()) if selects(selector, dict(pods.labels))]

    @cached_property
    def namespaces(self) -> Mapping[str, Mapping[str, str]]:
        """The namespaces in which there are objects, with the labels of each."""
        names = {key.name if key.kind == "Namespace" else key.namespace for key in self.objects} - {""}
        found = {}
        for name in sorted(names):
            labels = ((self.get("Namespace", "", name) or {}).get("metadata") or {}).get("labels") or {}
            found[name] = {**labels, "kubernetes.io/metadata.name": name}
        return found


def controller_of(manifest: Manifest) -> Key | None:
    """The object that controls an object, such as the Job of a pod."""
    metadata = manifest.get("metadata") or {}
    for owner in metadata.get("ownerReferences") or []:
        if owner.get("controller"):
            kind = kind_of(owner)
            return Key(kind, "" if is_cluster_scoped(kind) else metadata.get("namespace") or "default", owner["name"])
    return None


def is_finished(manifest: Manifest) -> bool:
    """Whether a pod or a job has finished: it uses nothing any more."""
    status = manifest.get("status") or {}
    conditions = status.get("conditions") or []
    return status.get("phase") in {"Succeeded", "Failed"} or (
        manifest["kind"] in {"Job", "JobSet"}
        and any(
            one.get("type") in {"Complete", "Completed", "Failed"} and one.get("status") == "True" for one in conditions
        )
    )


def worlds(before: Sequence[Manifest], after: Sequence[Manifest]) -> tuple["World", "World"]:
    """The worlds before and after a change.

    What a deleted object controls, and what is in a deleted namespace, is deleted with it. An object of which too much
    is unknown is in neither world.
    """
    certain, uncertain = known(before)
    certain_after, uncertain_after = known(after)
    unclear = [*uncertain, *uncertain_after]
    old, new = World(certain, unclear), World(certain_after, unclear)
    gone = old.objects.keys() - new.objects.keys()
    deleted = {key.name for key in gone if key.kind == "Namespace"}
    if not gone:
        return old, new
    left = dict(new.objects)
    while True:
        orphans = [
            key
            for key, manifest in left.items()
            if (key in old.objects and key.namespace in deleted) or controller_of(manifest) in gone
        ]
        if not orphans:
            return old, World(left.values(), unclear)
        gone |= set(orphans)
        for key in orphans:
            del left[key]


def changed(old: World, new: World) -> Iterator[tuple[Key, Manifest | None, Manifest | None]]:
    """The objects that are created, updated or deleted, apart from their status."""
    for key in dict.fromkeys([*old.objects, *new.objects]):
        before, after = old.objects.get(key), new.objects.get(key)
        if before is after:
            continue
        if before is None or after is None or desired(before) != desired(after):
            yield key, before, after


_OF_THE_SERVER = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp")


def desired(manifest: Manifest) -> Manifest:
    """An object without its status and the metadata that the API server sets."""
    metadata = manifest.get("metadata") or {}
    kept = {key: value for key, value in metadata.items() if key not in _OF_THE_SERVER}
    return {**{key: value for key, value in manifest.items() if key != "status"}, "metadata": kept}
