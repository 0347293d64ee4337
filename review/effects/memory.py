"""Volumes against the limits of the pods that mount them: what only the kubelet and the kernel enforce."""

from collections.abc import Iterator
from decimal import Decimal

from components.base.objects import Manifest, pod_templates, target
from components.base.quantities import format_quantity, parse_quantity
from review import effect_messages as messages
from review.effects.world import World, changed
from review.messages import Message


def memory(old: World, new: World) -> Iterator[Message]:
    """Report volumes that a change makes larger than the limits that they count against."""
    for _, before, after in changed(old, new):
        if after is not None:
            known = {message.text for message in _volumes(before)} if before else set()
            yield from (message for message in _volumes(after) if message.text not in known)


def _volumes(manifest: Manifest) -> list[Message]:
    return [
        message
        for template in pod_templates(manifest)
        for message in _volumes_of_pod(target(manifest), template.get("spec") or {})
    ]


def _volumes_of_pod(name: str, spec: Manifest) -> Iterator[Message]:
    in_memory = _sizes(spec, memory=True)
    for container in _long_running(spec):
        # The pages of a volume count against the container that writes them, and remain when it restarts.
        mounted = {mount["name"] for mount in container.get("volumeMounts") or [] if not mount.get("readOnly")}
        volumes = {volume: size for volume, size in in_memory.items() if volume in mounted}
        limit = _limit([container], "memory") or _limit([spec], "memory")
        if limit is not None and volumes and sum(volumes.values()) >= limit:
            yield messages.VOLUMES_EXCEED_MEMORY(
                target=name,
                volumes=", ".join(volumes),
                container=container.get("name"),
                limit=format_quantity(limit, "memory"),
            )
    on_disk = _sizes(spec, memory=False)
    storage = _limit([spec], "ephemeral-storage") or _limit(_long_running(spec), "ephemeral-storage")
    if storage is not None and on_disk and sum(on_disk.values()) > storage:
        yield messages.VOLUMES_EXCEED_STORAGE(
            target=name, volumes=", ".join(on_disk), limit=format_quantity(storage, "memory")
        )


def _long_running(spec: Manifest) -> list[Manifest]:
    """The containers that run at the same time: the main ones and sidecars."""
    sidecars = [one for one in spec.get("initContainers") or [] if one.get("restartPolicy") == "Always"]
    return [*sidecars, *(spec.get("containers") or [])]


def _sizes(spec: Manifest, *, memory: bool) -> dict[str, Decimal]:
    """The sizes of the emptyDir volumes of a pod, in memory or on disk. Without a size, the limits apply to them."""
    sources = {volume["name"]: volume.get("emptyDir") for volume in spec.get("volumes") or []}
    return {
        name: parse_quantity(str(source["sizeLimit"]))
        for name, source in sources.items()
        if source and source.get("sizeLimit") and (source.get("medium") == "Memory") == memory
    }


def _limit(holders: list[Manifest], resource: str) -> Decimal | None:
    """The sum of the limits; None if one of them has none."""
    limits = [((holder.get("resources") or {}).get("limits") or {}).get(resource) for holder in holders]
    if not limits or any(limit is None for limit in limits):
        return None
    return sum((parse_quantity(str(limit)) for limit in limits), Decimal(0))
