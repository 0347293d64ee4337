"""The changes of the surface that need attention: what is lost, and what is opened to clients outside."""

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

from components.base.objects import Manifest
from review import effect_messages as messages
from review.effects.dangling import named
from review.effects.references import references
from review.effects.selectors import selector_of
from review.effects.surface import ROUTES, SurfaceChange, is_internal, offers
from review.effects.texts import mentions, settings
from review.effects.world import Key, World
from review.messages import Message

_EVERYWHERE, _INTERNAL = "everywhere", "the internal network"
_RANGES = {
    _EVERYWHERE: ["0.0.0.0/0", "::/0"],
    _INTERNAL: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"],
}

# Changes that break clients which rely on it, by kind: the beginning of what changes, and whether a new value does too.
_BREAKS = {
    "Service": (("port", False), ("loadBalancerIP", True), ("loadBalancerClass", True), ("externalName", True)),
    "Gateway": (("listener", False),),
    "CustomResourceDefinition": (("version", False), ("scope", True)),
    "PriorityClass": (("value", True), ("default", False)),
    "StorageClass": (("provisioner", True), ("reclaim policy", True)),
    "RuntimeClass": (("handler", True),),
}


def exposure(changes: Sequence[SurfaceChange], old: World, new: World) -> Iterator[Message]:
    """Report what others lose, and what is opened."""
    yield from _lost(changes, old, new)
    yield from _lost_routes(changes, new)
    yield from _opened_sources(changes, old, new)
    yield from _defaults(old, new)
    yield from _mentions(changes, new)
    yield from _exposed(old, new)


def _lost(changes: Sequence[SurfaceChange], old: World, new: World) -> Iterator[Message]:
    for one in changes:
        deleted = one.key not in new.objects
        for prefix, also_changed in _BREAKS.get(one.key.kind, ()):
            if not one.what.startswith(prefix) or one.before is None or one.key not in old.objects:
                continue
            if one.after is None and (not deleted or prefix == "version"):
                yield messages.OFFER_REMOVED(target=str(one.key), what=one.what, before=one.before)
            elif one.after is not None and also_changed:
                yield messages.OFFER_CHANGED(target=str(one.key), what=one.what, before=one.before, after=one.after)


def _lost_routes(changes: Sequence[SurfaceChange], new: World) -> Iterator[Message]:
    """Report hosts and paths that no route serves any more."""
    served: set[str] = set()
    for manifest in new.of_kind(*ROUTES):
        served.update(offers(manifest))
    for one in changes:
        if one.key.kind in ROUTES and one.effect == "removed" and one.what not in served and "/" in one.what:
            yield messages.OFFER_REMOVED(target=str(one.key), what=one.what, before=one.before)


def _opened_sources(changes: Sequence[SurfaceChange], old: World, new: World) -> Iterator[Message]:
    """Report load balancers that accept clients of other addresses."""
    for key in dict.fromkeys(one.key for one in changes if one.key.kind == "Service"):
        both = [world.objects.get(key) for world in (old, new)]
        if not all(service and (service.get("spec") or {}).get("type") == "LoadBalancer" for service in both):
            continue
        before, after = (_clients(service or {}) for service in both)
        if _widens(before, after):
            yield messages.OPENED(target=str(key), before=before, after=after)
        elif after == _INTERNAL != before:
            yield messages.NARROWED(target=str(key), before=before, after=after)


def _clients(service: Manifest) -> str:
    """The addresses whose clients a load balancer accepts."""
    ranges = offers(service).get("sources", _EVERYWHERE)
    return _INTERNAL if ranges == _EVERYWHERE and is_internal(service) else ranges


def _widens(before: str, after: str) -> bool:
    """Whether some source ranges include addresses that others do not."""
    earlier = _networks(before)
    return any(
        not any(net.version == other.version and net.subnet_of(other) for other in earlier)  # type: ignore[arg-type]
        for net in _networks(after)
    )


def _networks(ranges: str) -> list[IPv4Network | IPv6Network]:
    texts = _RANGES.get(ranges) or ranges.split(", ")
    nets = [ip_network(text.strip(), strict=False) for text in texts]
    v4 = [net for net in nets if isinstance(net, IPv4Network)]
    v6 = [net for net in nets if isinstance(net, IPv6Network)]
    return [*collapse_addresses(v4), *collapse_addresses(v6)]


def _defaults(old: World, new: World) -> Iterator[Message]:
    """Report a cluster that loses its only default class, or gets a second one."""
    for kind in ("StorageClass", "IngressClass", "PriorityClass"):
        before, after = _default_classes(kind, old), _default_classes(kind, new)
        if before and not after:
            yield messages.DEFAULT_REMOVED(kind=kind, before=" and ".join(before))
        elif len(after) > 1 and len(before) < 2:
            yield messages.DEFAULTS_CONFLICT(kind=kind, classes=" and ".join(after))
        elif kind == "PriorityClass" and after and not before:
            yield messages.DEFAULT_ADDED(kind=kind, after=after[0])


def _default_classes(kind: str, world: World) -> list[str]:
    return sorted(one["metadata"]["name"] for one in world.of_kind(kind) if offers(one).get("default"))


def _mentions(changes: Sequence[SurfaceChange], new: World) -> Iterator[Message]:
    """Report addresses of Services in the settings of others that are no longer served."""
    lost: dict[Key, list[str]] = {}
    for one in changes:
        if one.key.kind == "Service" and one.before and one.what.startswith("port"):
            number = one.before.partition("/")[0]
            served = new.objects.get(one.key)
            if served is None or number not in {str(port.get("port")) for port in served["spec"].get("ports") or []}:
                lost.setdefault(one.key, []).append(number)
    if not lost:
        return
    texts = list(settings(new))
    for key, numbers in lost.items():
        deleted = key not in new.objects
        port = "" if deleted else "|".join(numbers)
        users = [str(user) for user, text in texts if mentions(text, key, user.namespace, port)]
        if users:
            what = str(key) if deleted else f"port {' and '.join(numbers)} of {key}"
            yield messages.ADDRESS_LOST(what=what, users=named(list(dict.fromkeys(users))))


_LEVELS = ("not at all", "from inside of the cluster", "on ports of the nodes", "from outside of the cluster")


def _exposed(old: World, new: World) -> Iterator[Message]:
    """Report running pods that become reachable from outside."""
    before, after = _levels(old), _levels(new)
    opened: dict[tuple[str, int, int], list[str]] = {}
    for key, (level, via) in after.items():
        earlier = before.get(key, (0, ""))[0]
        if key in old.objects and level > max(earlier, 1):
            opened.setdefault((via, earlier, level), []).append(str(key))
    for (via, earlier, level), names in opened.items():
        yield messages.EXPOSED(pods=named(names), via=via, before=_LEVELS[max(earlier, 1)], after=_LEVELS[level])


def _levels(world: World) -> dict[Key, tuple[int, str]]:
    """Workload → from where clients reach its pods through Services and routes, and through which."""
    routed: dict[Key, str] = {}
    for route in world.of_kind(*ROUTES):
        for one in references(route):
            if one.key.kind == "Service":
                routed.setdefault(one.key, f"{route['kind']} {route['metadata'].get('name')}")
    found: dict[Key, tuple[int, str]] = {}
    for key, service in world.items("Service"):
        level, via = _level(service), str(key)
        if key in routed and level < 3:
            level, via = 3, routed[key]
        for pods in world.selected(key.namespace, selector_of(service)):
            found[pods.key] = max(found.get(pods.key, (0, "")), (level, via))
    return found


def _level(service: Manifest) -> int:
    spec = service.get("spec") or {}
    if spec.get("externalIPs"):
        return 3
    if spec.get("type") == "LoadBalancer":
        return 2 if is_internal(service) else 3
    return 2 if spec.get("type") == "NodePort" else 1


def served_outside(world: World) -> Iterable[Key]:
    """The workloads that clients outside of the cluster use."""
    return [key for key, (level, _) in _levels(world).items() if level > 1]
