"""Objects that a change deletes implicitly: contents of a namespace, objects of a kind, data of claims."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from components.base.objects import Manifest, target
from review import twin_messages as messages
from review.messages import Message
from review.twin.owners import Key, controller_of, key

# Objects that Kubernetes creates for others, or in every namespace.
_GENERATED_KINDS = {
    "Event", "EndpointSlice", "Endpoints", "Lease", "ControllerRevision", "PodMetrics", "NodeMetrics",
    "ComponentStatus", "CSINode", "VolumeAttachment", "IPAddress", "APIService",
}  # fmt: skip
_GENERATED = {("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")}
_NAMES = 6


def losses(before: Sequence[Manifest], after: Iterable[Manifest], deleted: Iterable[Key]) -> Iterator[Message]:
    """Report the objects that are gone although no step deletes them, and the volumes that are deleted with claims.

    ``deleted`` are the objects that steps delete. What has a controller is left out: it creates the object again, or
    is gone itself.
    """
    remaining = {key(one) for one in after}
    gone = [one for one in before if key(one) not in remaining]
    steps = set(deleted)
    yield from _objects(gone, steps)
    yield from _data(gone, before)


def _objects(gone: Sequence[Manifest], steps: set[Key]) -> Iterator[Message]:
    namespaces = {one["metadata"]["name"]: one for one in gone if one["kind"] == "Namespace"}
    definitions = {(one["spec"]["group"], one["spec"]["names"]["kind"]): one for one in gone if _is_definition(one)}
    uids = {one["metadata"].get("uid"): one for one in gone}
    lost: dict[str, list[Manifest]] = {}
    for one in gone:
        if key(one) in steps or _is_generated(one) or controller_of(one) is not None:
            continue
        owner = next((uids[o["uid"]] for o in one["metadata"].get("ownerReferences") or [] if o["uid"] in uids), None)
        namespace = namespaces.get(one["metadata"].get("namespace", ""))
        by: Manifest | None = namespace or definitions.get((key(one)[0], one["kind"])) or owner
        if by is not None:
            lost.setdefault(f"deleting {target(by)}", []).append(one)
    for cause, objects in lost.items():
        yield messages.OBJECTS_LOST(cause=cause, objects=_listed(objects))


def _is_definition(manifest: Manifest) -> bool:
    return bool(manifest["kind"] == "CustomResourceDefinition")


def _is_generated(manifest: Manifest) -> bool:
    named = (manifest["kind"], manifest["metadata"]["name"]) in _GENERATED
    return manifest["kind"] in _GENERATED_KINDS or named


def _listed(objects: Sequence[Manifest]) -> str:
    names = sorted(map(target, objects))
    more = len(names) - _NAMES
    return ", ".join(names[:_NAMES]) + (f" and {more} more" if more > 0 else "")


def _data(gone: Sequence[Manifest], before: Sequence[Manifest]) -> Iterator[Message]:
    """The volumes of deleted claims, by the reclaim policy."""
    volumes: Mapping[str, Manifest] = {
        one["metadata"]["name"]: one for one in before if one["kind"] == "PersistentVolume"
    }
    for claim in gone:
        if claim["kind"] != "PersistentVolumeClaim":
            continue
        volume = volumes.get((claim.get("spec") or {}).get("volumeName", ""))
        if volume is None:
            continue
        spec = volume["spec"]
        name, size = target(claim), (spec.get("capacity") or {}).get("storage", "")
        if spec.get("persistentVolumeReclaimPolicy") == "Delete":
            yield messages.DATA_LOST(target=name, volume=volume["metadata"]["name"], size=size)
        else:
            yield messages.VOLUME_RETAINED(target=name, volume=volume["metadata"]["name"])
