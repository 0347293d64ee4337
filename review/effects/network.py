"""NetworkPolicies as Kubernetes specifies them: which connections between pods, and with addresses, they allow.

Ports are bits of a number, so that rules of many ports are combined at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from components.base.objects import Manifest, selects

Labels = Mapping[str, str]

METADATA = "169.254.169.254"
"""The address at which clouds serve the credentials of a node."""


@dataclass(frozen=True, eq=False)
class Peer:
    """One end of connections: pods with the same labels, or an address outside of the cluster."""

    namespace: str = ""
    """Empty for an address."""

    labels: Labels = field(default_factory=dict)
    namespace_labels: Labels = field(default_factory=dict)
    ports: tuple[tuple[str, int, str], ...] = ()
    """Protocol, number and name of the ports that pods declare."""

    address: str = ""

    @cached_property
    def ip(self) -> IPv4Address | IPv6Address | None:
        """The address as a value."""
        return ip_address(self.address) if self.address else None


@dataclass(frozen=True)
class Port:
    """A port, or an interval of ports which all rules treat alike."""

    protocol: str
    first: int
    last: int

    def __str__(self) -> str:
        number = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        return number if self.protocol == "TCP" else f"{number}/{self.protocol}"


def ports_of(policies: Iterable[Manifest], peers: Iterable[Peer]) -> list[Port]:
    """Intervals of ports which no rule of the policies divides, and in which no pod declares a single port."""
    edges: dict[str, set[int]] = {protocol: {0, 65536} for protocol in ("TCP", "UDP", "SCTP")}
    for policy in policies:
        for rule in _rules(policy, "ingress") + _rules(policy, "egress"):
            for port in rule.get("ports") or []:
                number = port.get("port")
                if isinstance(number, int):
                    edges[port.get("protocol") or "TCP"] |= {number, (port.get("endPort") or number) + 1}
    for peer in peers:
        for protocol, number, _ in peer.ports:
            edges[protocol] |= {number, number + 1}
    edges["TCP"] |= {53, 54, 80, 81}
    edges["UDP"] |= {53, 54}
    return [
        Port(protocol, first, following - 1)
        for protocol, found in edges.items()
        for first, following in zip(sorted(found), sorted(found)[1:], strict=False)
    ]


def _rules(policy: Manifest, direction: str) -> list[Manifest]:
    return (policy.get("spec") or {}).get(direction) or []


class Network:
    """The policies of a cluster, for a list of ports."""

    def __init__(self, policies: Sequence[Manifest], ports: Sequence[Port]) -> None:
        self._ports = ports
        self._all = (1 << len(ports)) - 1
        self._policies: dict[str, list[Manifest]] = {}
        # By identity: of a peer and a direction, of a rule and a peer.
        self._selecting: dict[tuple[int, str], list[Manifest]] = {}
        self._matched: dict[tuple[int, int], bool] = {}
        self._allowed: dict[tuple[int, int], int] = {}
        for policy in policies:
            self._policies.setdefault(policy["metadata"].get("namespace") or "default", []).append(policy)

    def allowed(self, source: Peer, destination: Peer) -> int:
        """The ports, as bits, on which one peer can connect to another."""
        # Traffic of a pod with itself is never restricted; a group may be several pods.
        return self._side(source, destination, destination, "egress") & self._side(
            destination, source, destination, "ingress"
        )

    def _side(self, peer: Peer, other: Peer, destination: Peer, direction: str) -> int:
        """The ports that the policies of one end allow."""
        applying = self.applying(peer, direction)
        if not applying:
            return self._all
        found = 0
        for policy in applying:
            for rule in _rules(policy, direction):
                if found != self._all and self._rule_matches(rule, direction, other, peer.namespace):
                    found |= self._bits(rule, destination)
        return found

    def _rule_matches(self, rule: Manifest, direction: str, other: Peer, namespace: str) -> bool:
        key = (id(rule), id(other))
        if key not in self._matched:
            peers = rule.get("from" if direction == "ingress" else "to")
            self._matched[key] = not peers or any(_matches(one, other, namespace) for one in peers)
        return self._matched[key]

    def applying(self, peer: Peer, direction: str) -> list[Manifest]:
        """The policies that restrict a peer in a direction: ingress or egress."""
        if not peer.namespace:
            return []
        key = (id(peer), direction)
        if key not in self._selecting:
            self._selecting[key] = [
                policy
                for policy in self._policies.get(peer.namespace, ())
                if direction in policy_types(policy)
                and selects(policy["spec"].get("podSelector") or {}, dict(peer.labels))
            ]
        return self._selecting[key]

    def _bits(self, rule: Manifest, destination: Peer) -> int:
        key = (id(rule), id(destination))
        if key not in self._allowed:
            self._allowed[key] = self._bits_of(rule.get("ports") or [], destination)
        return self._allowed[key]

    def _bits_of(self, ports: Sequence[Manifest], destination: Peer) -> int:
        """The ports of a rule, as bits."""
        if not ports:
            return self._all
        found = 0
        for port in ports:
            protocol, number = port.get("protocol") or "TCP", port.get("port")
            for low, high in _intervals(port, number, protocol, destination):
                for index, one in enumerate(self._ports):
                    if one.protocol == protocol and low <= one.first and one.last <= high:
                        found |= 1 << index
        return found


def _intervals(port: Manifest, number: int | str | None, protocol: str, destination: Peer) -> list[tuple[int, int]]:
    if number is None:
        return [(0, 65535)]
    if isinstance(number, int):
        return [(number, port.get("endPort") or number)]
    return [(one, one) for declared, one, name in destination.ports if (declared, name) == (protocol, number)]


def policy_types(policy: Manifest) -> set[str]:
    """The directions that a policy restricts; by default ingress, and egress if it has rules for it."""
    types = policy["spec"].get("policyTypes")
    if types:
        return {one.lower() for one in types}
    return {"ingress", "egress"} if policy["spec"].get("egress") else {"ingress"}


def _matches(rule: Manifest, peer: Peer, namespace: str) -> bool:
    """Whether a peer of a rule includes pods or an address. ``namespace`` is that of the policy."""
    block = rule.get("ipBlock")
    if block is not None:
        return _in_block(block, peer)
    if not peer.namespace:
        return False
    of_namespaces, of_pods = rule.get("namespaceSelector"), rule.get("podSelector")
    if of_namespaces is None:
        if peer.namespace != namespace:
            return False
    elif not selects(of_namespaces, dict(peer.namespace_labels)):
        return False
    return of_pods is None or selects(of_pods, dict(peer.labels))


def _in_block(block: Manifest, peer: Peer) -> bool:
    """Whether a block of addresses includes a peer.

    The addresses of pods are not known. A block of all addresses includes them, unless it excludes others than those
    of the link, such as all private ones.
    """
    network = ip_network(block["cidr"], strict=False)
    excluded = [ip_network(one, strict=False) for one in block.get("except") or []]
    if peer.ip is None:
        return network.prefixlen == 0 and all(one.is_link_local for one in excluded)
    return peer.ip in network and not any(peer.ip in one for one in excluded)


def addresses(policies: Iterable[Manifest], *single: str) -> list[str]:
    """An address for each region that the blocks of the policies divide, and single ones.

    IPv6 counts if a block has it: a cluster without it has no such connections to lose.
    """
    edges: dict[int, set[int]] = {4: {0, 1 << 32}, 6: {0, 1 << 128}}
    for one in (METADATA, *single):
        edges[4] |= {int(IPv4Address(one)), int(IPv4Address(one)) + 1}
    for policy in policies:
        for rule in _rules(policy, "ingress") + _rules(policy, "egress"):
            for peer in [*(rule.get("from") or []), *(rule.get("to") or [])]:
                block = peer.get("ipBlock") or {}
                for cidr in [block.get("cidr"), *(block.get("except") or [])]:
                    if cidr:
                        network = ip_network(cidr, strict=False)
                        first = int(network.network_address)
                        edges[network.version] |= {first, first + network.num_addresses}
    found = [str(IPv4Address(edge)) for edge in sorted(edges[4]) if edge < 1 << 32]
    with_v6 = edges[6] != {0, 1 << 128}
    return found + [str(IPv6Address(edge)) for edge in sorted(edges[6]) if with_v6 and edge < 1 << 128]
