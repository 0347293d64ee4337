"""Who may connect to whom by NetworkPolicies: connections that a change adds and removes.

Pods are compared in groups that all policies treat alike, so that a cluster of thousands of pods takes seconds.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network

from components.base.objects import Manifest
from review import effect_messages as messages
from review.effects.dangling import named
from review.effects.network import METADATA, Network, Peer, Port, addresses, ports_of
from review.effects.world import Key, Pods, World
from review.messages import Message

DNS = "DNS"
LOCAL_DNS = "169.254.20.10"
"""The address of the DNS cache on each node, where there is one."""

OUTSIDE = "addresses outside of the cluster"
OTHERS = "other namespaces"
_METADATA_SERVER = "the metadata server"
_SERVERS = {METADATA: _METADATA_SERVER, LOCAL_DNS: "the DNS cache of the node"}

_DNS_PORTS = (("UDP", 53, "dns"), ("TCP", 53, "dns-tcp"))
_DNS_LABELS = {"k8s-app": "kube-dns"}
_DNS_NAMESPACE = "kube-system"


@dataclass(eq=False)
class Group:
    """Pods that all policies treat alike before and after the change, or addresses."""

    before: Peer
    after: Peer
    namespace: str = ""
    """Empty for addresses."""

    workloads: list[Key] = field(default_factory=list)
    name: str = ""
    """Of a group without workloads."""


@dataclass(frozen=True, order=True)
class ReachabilityChange:
    """Connections that a change adds or removes."""

    sources: str
    destinations: str
    ports: str
    gained: bool

    def message(self) -> Message:
        """What changes, as text."""
        kind = messages.CONNECTIONS_ADDED if self.gained else messages.CONNECTIONS_REMOVED
        return kind(sources=self.sources, destinations=self.destinations, ports=self.ports)


class Comparison:
    """The connections before and after a change."""

    def __init__(self, old: World, new: World) -> None:
        self.old, self.new = old, new
        self._before, self._after = (world.of_kind("NetworkPolicy") for world in (old, new))
        both = [*self._before, *self._after]
        self._pod_keys = set(_label_keys(both, "podSelector"))
        self._namespace_keys = set(_label_keys(both, "namespaceSelector"))
        self.groups = [*self._pod_groups(), *self._other_groups(both)]
        self.ports = ports_of(both, [peer for group in self.groups for peer in (group.before, group.after)])
        self.before, self.after = Network(self._before, self.ports), Network(self._after, self.ports)

    def _pod_groups(self) -> Iterator[Group]:
        groups: dict[object, Group] = {}
        earlier = _by_template(self.old)
        for place, pods in _by_template(self.new).items():
            if place not in earlier:
                continue
            before, after = self._signature(earlier[place], self.old), self._signature(pods, self.new)
            if (before, after) not in groups:
                peers = self._peer(earlier[place], self.old), self._peer(pods, self.new)
                groups[before, after] = Group(*peers, pods.namespace)
            groups[before, after].workloads.append(pods.key)
        yield from groups.values()

    def _signature(self, pods: Pods, world: World) -> object:
        """What policies can distinguish."""
        labels = tuple((key, pods.labels.get(key)) for key in sorted(self._pod_keys))
        return pods.namespace, labels, self._namespace_labels(pods.namespace, world), pods.ports

    def _namespace_labels(self, namespace: str, world: World) -> tuple[tuple[str, str | None], ...]:
        labels = world.namespaces.get(namespace, {})
        return tuple((key, labels.get(key)) for key in sorted(self._namespace_keys))

    def _peer(self, pods: Pods, world: World) -> Peer:
        return Peer(pods.namespace, pods.labels, world.namespaces.get(pods.namespace, {}), pods.ports)

    def _other_groups(self, policies: list[Manifest]) -> Iterator[Group]:
        """DNS, namespaces without pods, namespaces that are not known, and addresses."""
        labels = {"kubernetes.io/metadata.name": _DNS_NAMESPACE}
        dns = Peer(_DNS_NAMESPACE, _DNS_LABELS, labels, _DNS_PORTS)
        yield Group(dns, dns, _DNS_NAMESPACE, name=DNS)
        for name in sorted(self.old.namespaces.keys() & self.new.namespaces.keys()):
            if name not in self.new.pods_by_namespace:
                before, after = (Peer(name, {}, world.namespaces[name]) for world in (self.old, self.new))
                yield Group(before, after, name, name=f"pods of {name}")
        other = Peer("?", {}, {})
        yield Group(other, other, "?", name=OTHERS)
        networks = _networks(policies)
        for address in addresses(policies, LOCAL_DNS):
            peer = Peer(address=address)
            containing = [network for network in networks if peer.ip in network]
            name = str(max(containing, key=lambda network: network.prefixlen)) if containing else OUTSIDE
            yield Group(peer, peer, name=_SERVERS.get(address, name))

    def allowed(self, source: Group, destination: Group) -> tuple[int, int]:
        """The ports, as bits, on which connections are allowed before and after."""
        return (
            self.before.allowed(source.before, destination.before),
            self.after.allowed(source.after, destination.after),
        )

    @cached_property
    def pairs(self) -> dict[tuple[Group, Group], tuple[int, int]]:
        """Source and destination → the ports that are lost and gained, where any are."""
        found = {}
        affected = [group for group in self.groups if self._is_affected(group)]
        for one in affected:
            for other in self.groups:
                for source, destination in {(one, other), (other, one)}:
                    if source.name in _SERVERS.values() or not (source.namespace or destination.namespace):
                        continue
                    before, after = self.allowed(source, destination)
                    if before != after:
                        found[source, destination] = before & ~after, after & ~before
        return found

    def _is_affected(self, group: Group) -> bool:
        """Whether its connections can change: by its labels, those of its namespace, its ports or its policies."""
        if not group.namespace:
            return False
        if (dict(group.before.labels), dict(group.before.namespace_labels), group.before.ports) != (
            dict(group.after.labels),
            dict(group.after.namespace_labels),
            group.after.ports,
        ):
            return True
        return any(
            [policy["spec"] for policy in self.before.applying(group.before, direction)]
            != [policy["spec"] for policy in self.after.applying(group.after, direction)]
            for direction in ("ingress", "egress")
        )

    def changes(self) -> list[ReachabilityChange]:
        """The changes, those of the same ports and ends together."""
        by_destination: dict[tuple[bool, int, Group], list[Group]] = defaultdict(list)
        for (source, destination), bits in self.pairs.items():
            for gained in (False, True):
                if bits[gained]:
                    by_destination[gained, bits[gained], destination].append(source)
        merged: dict[tuple[bool, int, frozenset[Group]], list[Group]] = defaultdict(list)
        for (gained, ports, destination), of_destination in by_destination.items():
            merged[gained, ports, frozenset(of_destination)].append(destination)
        return sorted(
            ReachabilityChange(self.text(sources), self.text(ends), self.text_of_ports(ports), gained)
            for (gained, ports, sources), ends in merged.items()
        )

    def listed(self, bits: int) -> tuple[Port, ...]:
        """The ports that bits stand for."""
        return tuple(port for index, port in enumerate(self.ports) if bits >> index & 1)

    def bits(self, ports: Collection[tuple[str, int]]) -> int:
        """Protocols and numbers as bits."""
        return sum(
            1 << index
            for index, port in enumerate(self.ports)
            if any(protocol == port.protocol and port.first <= number <= port.last for protocol, number in ports)
        )

    def text_of_ports(self, bits: int) -> str:
        """Ports as text; adjacent intervals are joined."""
        if bits == (1 << len(self.ports)) - 1:
            return "all ports"
        joined: list[Port] = []
        for port in self.listed(bits):
            last = joined[-1] if joined else None
            if last and last.protocol == port.protocol and last.last + 1 == port.first:
                joined[-1] = Port(last.protocol, last.first, port.last)
            else:
                joined.append(port)
        whole = [port.protocol for port in joined if (port.first, port.last) == (0, 65535)]
        parts = [f"all ports of {protocol}" for protocol in whole]
        parts += [str(port) for port in joined if port.protocol not in whole]
        return named(parts)

    def text(self, groups: Collection[Group]) -> str:
        """Groups as text, the most general first: addresses, whole namespaces, and workloads."""
        chosen = set(groups)
        everywhere = [group for group in self.groups if group.namespace and group.name != DNS]
        parts: dict[str, None] = {}
        names = {group.name for group in chosen}
        if OUTSIDE in names:
            parts[OUTSIDE] = None
            chosen = {group for group in chosen if group.namespace or group.name == _METADATA_SERVER}
        if OTHERS in names:
            missing = {group.namespace for group in everywhere if group not in chosen}
            parts[OTHERS if missing else "all namespaces"] = None
            chosen = {group for group in chosen if not group.namespace or (missing and not group.name)}
        for namespace in sorted({group.namespace for group in chosen if group.workloads}):
            of_namespace = {group for group in everywhere if group.namespace == namespace}
            if of_namespace <= chosen and len(of_namespace) > 1:
                parts[f"all pods of {namespace}"] = None
                chosen -= of_namespace
        for group in self.groups:
            if group in chosen:
                parts.update(dict.fromkeys([str(key) for key in group.workloads] or [group.name]))
        return named(list(parts))

    def dns(self) -> Group:
        """The group of the DNS servers."""
        return next(group for group in self.groups if group.name == DNS)

    def metadata(self) -> Group:
        """The group of the metadata server."""
        return next(group for group in self.groups if group.after.address == METADATA)


def reachability(old: World, new: World) -> list[Comparison]:
    """The connections before and after a change; none without policies, which allow all connections."""
    if not old.of_kind("NetworkPolicy") and not new.of_kind("NetworkPolicy"):
        return []
    return [Comparison(old, new)]


def _by_template(world: World) -> dict[tuple[Key, int], Pods]:
    """Workload and number of the template → its pods."""
    found: dict[tuple[Key, int], Pods] = {}
    for pods in world.pods:
        index = 0
        while (pods.key, index) in found:
            index += 1
        found[pods.key, index] = pods
    return found


def _label_keys(value: object, selector: str, inside: bool = False) -> Iterator[str]:
    """The keys of labels in the selectors of policies."""
    if isinstance(value, list):
        for item in value:
            yield from _label_keys(item, selector, inside)
    elif isinstance(value, Mapping):
        if inside:
            yield from value.get("matchLabels") or {}
            yield from (one["key"] for one in value.get("matchExpressions") or [])
            return
        for key, item in value.items():
            if key in (selector, "spec", "ingress", "egress", "from", "to"):
                yield from _label_keys(item, selector, inside=key == selector)


def _networks(policies: list[Manifest]) -> set[IPv4Network | IPv6Network]:
    """The blocks of addresses in the policies, except those of all addresses."""
    found = set()
    for policy in policies:
        for rule in [*(policy["spec"].get("ingress") or []), *(policy["spec"].get("egress") or [])]:
            for peer in [*(rule.get("from") or []), *(rule.get("to") or [])]:
                block = peer.get("ipBlock") or {}
                for cidr in [block.get("cidr"), *(block.get("except") or [])]:
                    if cidr:
                        found.add(ip_network(cidr, strict=False))
    return {network for network in found if network.prefixlen}
