"""Selectors of Services, disruption budgets, network policies and workloads: what a change adds and removes."""

from collections.abc import Iterator, Sequence

from components.base.objects import Manifest, containers
from review import effect_messages as messages
from review.effects.dangling import named
from review.effects.world import Key, Pods, World, controller_of
from review.messages import Message

_CONTROLLERS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController")


def selectors(old: World, new: World) -> Iterator[Message]:
    """Report selectors that select nothing any more, or pods that belong to others."""
    for key, manifest in new.objects.items():
        if key.kind in {"Service", "PodDisruptionBudget", "NetworkPolicy"}:
            yield from _selector(key, manifest, old, new)
    yield from _adopted(old, new)
    yield from _budgets(old, new)


def selector_of(manifest: Manifest) -> Manifest | None:
    """The selector of pods of an object; None if it selects none. An empty one selects all pods of its namespace."""
    spec = manifest.get("spec") or {}
    found: Manifest | None = spec.get("podSelector" if manifest["kind"] == "NetworkPolicy" else "selector")
    if manifest["kind"] in {"Service", "ReplicationController"}:  # an empty one selects nothing
        return found or None
    return found


def _selector(key: Key, manifest: Manifest, old: World, new: World) -> Iterator[Message]:
    earlier = old.objects.get(key)
    after = new.selected(key.namespace, selector_of(manifest))
    before = old.selected(key.namespace, selector_of(earlier)) if earlier else []
    # If the Service itself changes, the policy rule service-selects reports it.
    kept = earlier is not None and selector_of(earlier) == selector_of(manifest)
    # Without its pods, only a Service is of no use: clients may still call it.
    remaining = key.kind == "Service" or any(pods.key in new.objects for pods in before)
    if before and not after and remaining and (kept or key.kind != "Service"):
        yield messages.SELECTS_NOTHING(target=str(key), before=_names(before))
    elif key.kind == "Service" and earlier is not None and before:
        yield from _joined(key, manifest, earlier, before, after, old)


def _joined(
    key: Key, manifest: Manifest, earlier: Manifest, before: Sequence[Pods], after: Sequence[Pods], old: World
) -> Iterator[Message]:
    """Report pods of another program that begin to receive the requests of a Service."""
    kept = {pods.key for pods in before} & {pods.key for pods in after}
    joined = [pods for pods in after if pods.key not in {one.key for one in before}]
    if not kept or not joined:  # switched over to other pods as a whole
        return
    images = {image for pods in before for image in _images(pods)}
    same_selector = selector_of(earlier) == selector_of(manifest)
    others = [
        pods
        for pods in joined
        # A new version of the same program, as a canary, belongs to the Service.
        if not images & _images(pods) and (same_selector or pods.key in old.objects)
    ]
    if others:
        yield messages.SELECTS_OTHERS(target=str(key), pods=_names(others), before=_names(before))


def _images(pods: Pods) -> set[str]:
    """The repositories of the images of pods, without tags and digests."""
    images = (str(container.get("image") or "") for container in containers(pods.spec))
    return {image.partition("@")[0].rpartition("/")[2].partition(":")[0] for image in images}


def _names(pods: Sequence[Pods]) -> str:
    return named(list(dict.fromkeys(str(one.key) for one in pods)))


def _adopted(old: World, new: World) -> Iterator[Message]:
    """Report workloads whose selectors match pods without a controller: they adopt these, and may delete them."""
    for key, manifest in new.items(*_CONTROLLERS):
        earlier = old.objects.get(key)
        known = {pods.key for pods in _bare(key, earlier, old)} if earlier else set()
        added = [pods for pods in _bare(key, manifest, new) if pods.key not in known]
        if added and controller_of(manifest) is None:
            yield messages.ADOPTS_PODS(target=str(key), pods=_names(added))


def _bare(key: Key, manifest: Manifest, world: World) -> list[Pods]:
    """The pods without a controller that the selector of a workload matches."""
    selected = world.selected(key.namespace, selector_of(manifest))
    return [pods for pods in selected if pods.key.kind == "Pod" and controller_of(pods.manifest) is None]


def _budgets(old: World, new: World) -> Iterator[Message]:
    """Report pods that several disruption budgets select: the API server then rejects every eviction of them."""
    earlier = _budgets_by_pods(old)
    for pods, budgets in _budgets_by_pods(new).items():
        if len(budgets) > 1 and len(earlier.get(pods, ())) < 2:
            yield messages.BUDGETS_OVERLAP(target=str(pods), budgets=" and ".join(budgets))


def _budgets_by_pods(world: World) -> dict[Key, list[str]]:
    found: dict[Key, list[str]] = {}
    for key, budget in world.items("PodDisruptionBudget"):
        for owner in dict.fromkeys(pods.key for pods in world.selected(key.namespace, selector_of(budget))):
            found.setdefault(owner, []).append(key.name)
    return found
