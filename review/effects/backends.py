"""Where Services, routes and webhooks lead to: pods that listen on the port, and one route for each address."""

from collections import defaultdict
from collections.abc import Iterator

from components.base.objects import Manifest
from review import effect_messages as messages
from review.effects.dangling import named
from review.effects.references import references
from review.effects.selectors import selector_of
from review.effects.surface import ROUTES, offers
from review.effects.world import Key, Pods, World, changed
from review.messages import Message


def backends(old: World, new: World, *, complete: bool) -> Iterator[Message]:
    """Report Services whose pods no longer listen, routes to Services without pods, and routes that conflict.

    ``complete``: whether the worlds have all objects of the cluster.
    """
    yield from _ports_lost(old, new)
    yield from _conflicts(old, new)
    if complete:
        yield from _without_pods(old, new)


def _ports_lost(old: World, new: World) -> Iterator[Message]:
    """Report ports that the pods of a Service declared, and do not declare any more."""
    for key, service in new.items("Service"):
        earlier = old.objects.get(key)
        if earlier is None or selector_of(service) is None:
            continue
        known = {pods.key: pods for pods in old.selected(key.namespace, selector_of(earlier))}
        for pods in new.selected(key.namespace, selector_of(service)):
            before = known.get(pods.key)
            for port in service["spec"].get("ports") or [] if before and pods.ports else []:
                wanted = port.get("targetPort") or port.get("port")
                if _declares(before, wanted) and not _declares(pods, wanted):
                    yield messages.TARGET_PORT_LOST(target=str(key), port=wanted, pods=str(pods.key))


def _declares(pods: Pods | None, wanted: int | str) -> bool:
    return pods is not None and any(wanted in (number, name) for _, number, name in pods.ports)


def _conflicts(old: World, new: World) -> Iterator[Message]:
    """Report hosts and paths that several routes serve."""
    earlier = _served(old)
    found: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for address, routes in _served(new).items():
        if len(routes) > 1 and len(earlier.get(address, ())) < 2:
            found[tuple(routes)].append(address[1])
    for routes_of, addresses in found.items():
        yield messages.ROUTES_CONFLICT(routes=" and ".join(routes_of), addresses=named(addresses))


def _served(world: World) -> dict[tuple[str, str], list[str]]:
    """Class or gateway, with host and path → the routes that serve it. Canaries share the routes of others."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for key, route in world.items(*sorted(ROUTES)):
        annotations = (route.get("metadata") or {}).get("annotations") or {}
        if any("canary" in name for name in annotations):
            continue
        offered = offers(route)
        parents = [offered.get("class", ""), *(what for what in offered if what.startswith("gateway "))]
        for what in offered:
            if "/" in what:
                found[" ".join(parents), what].append(str(key))
    return found


def _without_pods(old: World, new: World) -> Iterator[Message]:
    """Report new routes and webhooks to Services that have no pods."""
    for key, before, after in changed(old, new):
        if after is None or not (key.kind in ROUTES or key.kind.endswith("WebhookConfiguration")):
            continue
        known = _services(before) if before else set()
        for one in sorted(_services(after) - known):
            service = new.objects.get(one)
            selector = selector_of(service) if service else None
            if selector and not new.selected(one.namespace, selector):
                yield messages.BACKEND_WITHOUT_PODS(target=str(key), service=str(one))


def _services(manifest: Manifest) -> set[Key]:
    return {one.key for one in references(manifest) if one.key.kind == "Service"}
