"""The changes of reachability that need attention: lost connections that are in use, and opened ones."""

from collections import defaultdict
from collections.abc import Iterator

from review import effect_messages as messages
from review.effects.dangling import named
from review.effects.exposure import served_outside
from review.effects.reachability import DNS, LOCAL_DNS, OTHERS, OUTSIDE, Comparison, Group
from review.effects.selectors import selector_of
from review.effects.texts import external_hosts, mentions, settings_of
from review.effects.world import Key, World
from review.messages import Message


def isolation(compared: Comparison) -> Iterator[Message]:
    """Report connections that a change breaks or opens.

    A lost connection counts if something shows that it is used: DNS, an address in the settings of the source, a
    Service that clients outside of the cluster use, or pods of one workload that work together.
    """
    if not compared.pairs:
        return
    yield from _dns_lost(compared)
    yield from _lost(compared)
    yield from _metadata(compared)
    yield from _opened(compared)


def _dns_lost(compared: Comparison) -> Iterator[Message]:
    port = compared.bits([("UDP", 53)])
    resolvers = [group for group in compared.groups if group.name == DNS or group.after.address == LOCAL_DNS]
    lost: list[str] = []
    for group in compared.groups:
        if group.workloads and group.name != DNS:
            allowed = [compared.allowed(group, resolver) for resolver in resolvers]
            if any(before & port for before, _ in allowed) and not any(after & port for _, after in allowed):
                lost += map(str, group.workloads)
    if lost:
        yield messages.DNS_LOST(pods=named(lost))


Ports = list[tuple[str, int]]
"""Protocols and numbers."""


def _lost(compared: Comparison) -> Iterator[Message]:
    """Report lost connections that are used."""
    by_destination: dict[tuple[Group, int], dict[Group, None]] = defaultdict(dict)
    for source, destination, lost in _used(compared):
        by_destination[destination, lost][source] = None
    by_sources: dict[tuple[int, tuple[Group, ...]], list[Group]] = defaultdict(list)
    for (destination, lost), sources in by_destination.items():
        by_sources[lost, tuple(sources)].append(destination)
    for (lost, users), destinations in by_sources.items():
        yield messages.CONNECTION_LOST(
            source=compared.text(users), destinations=compared.text(destinations), ports=compared.text_of_ports(lost)
        )


def _used(compared: Comparison) -> Iterator[tuple[Group, Group, int]]:
    """Lost connections that are used: source, destination and the ports as bits."""
    services = _services(compared.new)
    outside = set(served_outside(compared.old)) & set(served_outside(compared.new))
    for (source, destination), (lost, _) in compared.pairs.items():
        served = lost & _served_ports(compared, destination, services)
        if not destination.namespace:
            port = compared.bits([("TCP", 443)])
            left = any(compared.allowed(source, one)[1] & port for one in compared.groups if one.name == OUTSIDE)
            if lost & port and destination.name == OUTSIDE and not left and _uses(compared, source, None):
                yield source, destination, lost
        elif not source.namespace:
            left = any(compared.allowed(one, destination)[1] & served for one in compared.groups if not one.namespace)
            if served and source.name == OUTSIDE and not left and outside.intersection(destination.workloads):
                yield source, destination, served
        elif source is destination and len(source.workloads) == 1:
            if _works_together(source.workloads[0], compared.new):
                yield source, destination, lost
        elif served and any(
            _uses(compared, source, service)
            for workload in destination.workloads
            for service, ports in services.get(workload, {}).items()
            if lost & compared.bits(ports)
        ):
            yield source, destination, served


def _services(world: World) -> dict[Key, dict[Key, Ports]]:
    """Workload → the Services that select its pods, with the ports on which they send requests to them."""
    found: dict[Key, dict[Key, Ports]] = defaultdict(dict)
    for key, service in world.items("Service"):
        for pods in world.selected(key.namespace, selector_of(service)):
            ports = found[pods.key].setdefault(key, [])
            for port in service["spec"].get("ports") or []:
                protocol, wanted = port.get("protocol") or "TCP", port.get("targetPort") or port["port"]
                named_ports = [number for one, number, name in pods.ports if (one, name) == (protocol, wanted)]
                ports += [(protocol, number) for number in ([wanted] if isinstance(wanted, int) else named_ports)]
    return found


def _served_ports(compared: Comparison, group: Group, services: dict[Key, dict[Key, Ports]]) -> int:
    """The ports of a group that Services send requests to, or that its pods declare."""
    declared = [(protocol, number) for protocol, number, _ in group.after.ports]
    for workload in group.workloads:
        for ports in services.get(workload, {}).values():
            declared += ports
    return compared.bits(declared)


def _works_together(workload: Key, world: World) -> bool:
    """Whether the pods of a workload address each other: they have stable names."""
    manifest = world.objects[workload]
    spec = manifest.get("spec") or {}
    return workload.kind in {"StatefulSet", "JobSet"} or (
        workload.kind == "Job" and (spec.get("parallelism") or 1) > 1 and spec.get("completionMode") == "Indexed"
    )


def _uses(compared: Comparison, group: Group, service: Key | None) -> bool:
    """Whether the settings of pods have the address of a Service, or of a host outside of the cluster."""
    workloads = set(group.workloads)
    return any(
        mentions(text, service, pods.namespace) if service else _has_external_host(text, compared.new)
        for pods in compared.new.pods_by_namespace.get(group.namespace, ())
        if pods.key in workloads
        for text in settings_of(pods, compared.new)
    )


def _has_external_host(text: str, world: World) -> bool:
    """Whether a text has a URL of a host that is no Service: ``name.namespace``."""
    return any(host.rpartition(".")[2] not in world.namespaces for host in external_hosts(text))


def _metadata(compared: Comparison) -> Iterator[Message]:
    """Report pods that gain access to the credentials of their node."""
    server, port = compared.metadata(), compared.bits([("TCP", 80)])
    opened = {
        group: None
        for (group, destination), (_, gained) in compared.pairs.items()
        if destination is server and gained & port and group.name not in {DNS, OTHERS}
    }
    if opened:
        yield messages.METADATA_OPENED(pods=compared.text(opened))


def _opened(compared: Comparison) -> Iterator[Message]:
    """Report pods that any namespace, or addresses outside of the cluster, can now connect to."""
    services = _services(compared.new)
    whole = (1 << len(compared.ports)) - 1
    found: dict[Group, set[Group]] = defaultdict(set)
    for (source, destination), (_, gained) in compared.pairs.items():
        is_known = destination.namespace and destination.name not in {DNS, OTHERS}
        if is_known and source.name in {OTHERS, OUTSIDE}:
            served = _served_ports(compared, destination, services) or (gained if gained == whole else 0)
            if gained & served:
                found[destination].add(source)
    by_sources: dict[frozenset[Group], list[Group]] = defaultdict(list)
    for destination, sources in found.items():
        by_sources[frozenset(sources)].append(destination)
    for opened_to, destinations in by_sources.items():
        yield messages.CONNECTIONS_OPENED(
            sources=_capitalized(compared.text(opened_to)), destinations=compared.text(destinations)
        )


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]
