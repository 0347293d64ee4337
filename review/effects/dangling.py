"""References to objects that do not exist, or that a change removes while others still use them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from components.base.objects import WORKLOADS, Manifest, selects, target
from review import effect_messages as messages
from review.effects.references import CUSTOM_KINDS, Reference, find_in, references, unresolved
from review.effects.world import Key, World, controller_of, is_built_in, is_finished, kind_of
from review.messages import Message

# The number of objects that a message names.
_NAMES = 3

# Objects of other kinds than these are not read for certain.
_READABLE = {
    *WORKLOADS - {"JobSet"},
    "ClusterRole",
    "ConfigMap",
    "DeviceClass",
    "IngressClass",
    "MutatingAdmissionPolicy",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "PriorityClass",
    "ResourceClaim",
    "ResourceClaimTemplate",
    "Role",
    "RuntimeClass",
    "Secret",
    "Service",
    "ServiceAccount",
    "StorageClass",
    "ValidatingAdmissionPolicy",
}


def dangling(old: World, new: World, *, complete: bool, unreadable: Collection[str] = ()) -> Iterator[Message]:
    """Report references that the change breaks or introduces without their object.

    ``complete``: whether the worlds have all objects of the cluster, except those of ``unreadable`` kinds.
    """
    find, find_before = find_in(new), find_in(old)
    lost: dict[tuple[Key, str], dict[str, bool]] = defaultdict(dict)
    names = produced(new.objects.values())
    for key, manifest in new.objects.items():
        if is_finished(manifest) or _is_bound(manifest) or _is_controlled(manifest, new):
            continue
        before = old.objects.get(key)
        for one in references(without_idle_webhooks(manifest, new.namespaces.values())):
            lacks = unresolved(one, find)
            if lacks is None:
                continue
            if one.key in old.objects and unresolved(one, find_before) is None:
                lost[one.key, lacks][str(key)] = one.of_pod
            elif (
                complete
                and one.certain
                and _is_new(one, manifest, before)
                and is_readable(one.key, unreadable)
                and not may_be_produced(one.key, manifest, names)
            ):
                yield not_found(manifest, one, lacks)
    for (key, part), users in sorted(lost.items()):
        kind = messages.REFERENCE_LOST_BY_PODS if any(users.values()) else messages.REFERENCE_LOST
        yield kind(what=_what(key, part), users=named(list(users)))


def not_found(manifest: Manifest, one: Reference, lacks: str) -> Message:
    """The message about a reference to an object, or a part of one, that does not exist."""
    values = {"target": target(manifest), "field": one.field, "kind": one.key.kind, "name": one.key.name}
    if lacks:
        kind = messages.REFERENCED_PART_NOT_FOUND_BY_PODS if one.of_pod else messages.REFERENCED_PART_NOT_FOUND
        return kind(**values, part=lacks)
    return (messages.REFERENCE_NOT_FOUND if one.of_pod else messages.REFERENCE_DANGLING)(**values)


def _is_bound(manifest: Manifest) -> bool:
    """Whether a claim has its volume, and does not need its class any more."""
    return manifest["kind"] == "PersistentVolumeClaim" and (manifest.get("status") or {}).get("phase") == "Bound"


def without_idle_webhooks(manifest: Manifest, namespaces: Iterable[Mapping[str, str]]) -> Manifest:
    """A webhook configuration without the webhooks that are called for no namespace; any other object unchanged.

    ``namespaces`` are the labels of all namespaces.
    """
    if not manifest["kind"].endswith("WebhookConfiguration"):
        return manifest
    known = list(namespaces)
    called = [
        webhook
        for webhook in manifest.get("webhooks") or []
        if any(selects(webhook.get("namespaceSelector") or {}, dict(labels)) for labels in known)
    ]
    return {**manifest, "webhooks": called}


def _is_controlled(manifest: Manifest, world: World) -> bool:
    """Whether an object is represented by the workload that controls it."""
    owner = controller_of(manifest)
    return owner is not None and owner.kind in WORKLOADS and owner in world.objects


def _is_new(one: Reference, manifest: Manifest, before: Manifest | None) -> bool:
    """Whether a change introduces a reference, or starts pods that have it."""
    if before is None:
        return True
    if before is manifest or before.get("spec") == manifest.get("spec"):
        return False
    return one.of_pod or one not in references(before)


def is_readable(key: Key, unreadable: Collection[str] = ()) -> bool:
    """Whether an object would be in the world if it existed."""
    return key.kind in _READABLE and key.kind not in unreadable and key.kind not in CUSTOM_KINDS


def produced(manifests: Iterable[Manifest]) -> set[tuple[str, str]]:
    """Namespace and name of objects that the controllers of custom objects may create: all names in these objects."""
    found: set[tuple[str, str]] = set()
    for manifest in manifests:
        if not is_built_in(manifest):
            namespace = (manifest.get("metadata") or {}).get("namespace") or ""
            found.update((namespace, text) for text in _texts(manifest) if isinstance(namespace, str))
    return found


def may_be_produced(key: Key, manifest: Manifest, names: Collection[tuple[str, str]]) -> bool:
    """Whether a controller may create an object that does not exist yet."""
    annotations = (manifest.get("metadata") or {}).get("annotations") or {}
    # An Ingress whose annotations configure an issuer of certificates.
    issued = kind_of(manifest) in {"Ingress", "Gateway"} and any("issuer" in str(name) for name in annotations)
    return (key.namespace, key.name) in names or (key.kind == "Secret" and issued)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value


def _what(key: Key, part: str) -> str:
    noun = {"Service": "port", "Gateway": "listener"}.get(key.kind, "key")
    return f"the {noun} {part} of {key}" if part else str(key)


def named(names: list[str]) -> str:
    """A list of objects, shortened."""
    more = len(names) - _NAMES
    return ", ".join(names[:_NAMES]) + (f" and {more} more" if more > 0 else "")
