"""Autoscalers against the pods that they scale: what they measure, and who else scales them."""

from collections.abc import Iterator
from typing import Any

from components.base.objects import Manifest
from review import effect_messages as messages
from review.effects.dangling import named
from review.effects.world import Key, Pods, World, changed, controller_of, key_of
from review.messages import Message

_SCALERS = ("HorizontalPodAutoscaler", "ScaledObject.keda.sh")


def autoscalers(old: World, new: World) -> Iterator[Message]:
    """Report autoscalers that cannot measure their pods, and those that scale the same workload."""
    earlier = _by_workload(old)
    touched = {key for key, _, _ in changed(old, new)}
    for workload, scalers in _by_workload(new).items():
        if len(scalers) > 1 and len(earlier.get(workload, ())) < 2:
            names = " and ".join(f"{one['kind']} {one['metadata']['name']}" for one in scalers)
            yield messages.SCALED_TWICE(target=str(workload), autoscalers=names)
        for scaler in scalers:
            if workload in touched or key_of(scaler) in touched:
                yield from _metrics(scaler, _pods(workload, new), new)


def _by_workload(world: World) -> dict[Key, list[Manifest]]:
    """Workload → its autoscalers, without those that another autoscaler controls."""
    found: dict[Key, list[Manifest]] = {}
    for key, scaler in world.items(*_SCALERS):
        scaled = (scaler.get("spec") or {}).get("scaleTargetRef") or {}
        if controller_of(scaler) is None and isinstance(scaled.get("name"), str):
            target = Key(scaled.get("kind") or "Deployment", key.namespace, scaled["name"])
            found.setdefault(target, []).append(scaler)
    return found


def _pods(workload: Key, world: World) -> list[Pods]:
    return [pods for pods in world.pods_by_namespace.get(workload.namespace, ()) if pods.key == workload]


def _metrics(scaler: Manifest, of_workload: list[Pods], world: World) -> Iterator[Message]:
    """Report metrics of an autoscaler that its pods do not have."""
    name = str(key_of(scaler))
    for metric in (scaler.get("spec") or {}).get("metrics") or []:
        source: dict[str, Any] = metric.get("resource") or metric.get("containerResource") or {}
        resource, only = str(source.get("name")), source.get("container")
        for pods in of_workload:
            measured = [one for one in pods.spec.get("containers") or [] if only in (None, one.get("name"))]
            if only and not measured:
                yield messages.SCALED_BY_UNKNOWN_CONTAINER(target=name, container=only)
            # A share is that of the requests.
            if (source.get("target") or {}).get("type") == "Utilization" and not _has_default(resource, pods, world):
                without = [str(one.get("name")) for one in measured if not _requests(resource, one, pods)]
                if without:
                    yield messages.SCALED_WITHOUT_REQUESTS(target=name, resource=resource, containers=named(without))


def _requests(resource: str, container: Manifest, pods: Pods) -> bool:
    """Whether a container, or its pod as a whole, requests a resource. A limit is a request, too."""
    holders = [container.get("resources") or {}, pods.spec.get("resources") or {}]
    return any(resource in (holder.get(kind) or {}) for holder in holders for kind in ("requests", "limits"))


def _has_default(resource: str, pods: Pods, world: World) -> bool:
    """Whether a LimitRange of the namespace sets the request of a resource."""
    ranges = [one for key, one in world.items("LimitRange") if key.namespace == pods.namespace]
    limits = [limit for one in ranges for limit in (one.get("spec") or {}).get("limits") or []]
    return any(resource in (limit.get(kind) or {}) for limit in limits for kind in ("default", "defaultRequest"))
