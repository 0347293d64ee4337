"""The connections of a team's pods that are allowed, as NetworkPolicies.

All others are denied. A cluster whose network plugin does not implement NetworkPolicies accepts them, and enforces
none.
"""

from ipaddress import ip_address, ip_network
from typing import Any

from pydantic import Field, model_validator

from ..base.arguments import Arguments, check_exactly_one
from ..base.cidr import Cidr
from ..base.error_table import METADATA_SERVER
from ..base.errors import raise_all
from ..base.labels import WORKER_NETWORK_LABEL
from ..base.names import DnsLabel, Port
from ..base.objects import Manifest

DNS_NAMESPACE = "kube-system"
"""The default namespace of a cluster's DNS servers."""

# The metadata servers of clouds, which provide the credentials of the node to any client.
_METADATA = ("169.254.169.254", "fd00:ec2::254")
# The addresses of DNS caches on nodes.
_LINK_LOCAL = "169.254.0.0/16"


class Peers(Arguments):
    """The peers of connections. Updatable in place."""

    namespaces: list[DnsLabel] = Field(default=[], examples=[["ml-serving"]])
    """Namespaces; all their pods are peers."""

    cidrs: list[Cidr] = Field(default=[], examples=[["10.0.0.0/8"]])
    """CIDR blocks; ``0.0.0.0/0`` covers all IPv4 addresses."""


class Serving(Arguments):
    """The clients of a team's model services. Exactly one of namespaces and anywhere must be set.

    Updatable in place.
    """

    ports: list[Port] = Field(default=[], examples=[[8080]])
    """The container ports that clients may connect to. Defaults to all."""

    namespaces: list[DnsLabel] = Field(default=[], examples=[["web"]])
    """Namespaces of the clients."""

    anywhere: bool = False
    """Allow any client, for example those of a public load balancer."""

    @model_validator(mode="after")
    def _one_kind(self) -> "Serving":
        given = [*(["namespaces"] if self.namespaces else []), *(["anywhere"] if self.anywhere else [])]
        check_exactly_one(given, ["namespaces", "anywhere"])
        return self


class Network(Arguments):
    """The connections that are allowed in addition to DNS and those within the namespace. Updatable in place."""

    allow_from: Peers = Peers()
    """Clients that may connect to any port of the team's pods."""

    allow_to: Peers = Field(Peers(), examples=[{"cidrs": ["0.0.0.0/0"]}])
    """Servers that the team's pods may connect to: data, registries of models and packages."""

    serving: Serving | None = Field(default=None, examples=[{"ports": [8080], "anywhere": True}])
    """Clients of the team's model services. Defaults to the namespace, and to anywhere if the team ``serves``."""

    dns_namespace: DnsLabel = DNS_NAMESPACE
    """The namespace of the cluster's DNS servers. DNS caches on nodes (169.254.0.0/16) are allowed too."""

    cloud_metadata: bool = False
    """Allow connections to the cloud's metadata server, if ``allow_to`` includes its address.

    It provides the credentials of the node to any pod that can connect to it.
    """

    @model_validator(mode="after")
    def _metadata_is_explicit(self) -> "Network":
        """Reject a block that would be empty without the metadata server."""
        problems: list[Any] = []
        for index, cidr in enumerate(self.allow_to.cidrs):
            if not self.cloud_metadata and ip_network(cidr) in map(ip_network, _METADATA):
                problems.append((("allowTo", "cidrs", index), METADATA_SERVER(cidr=cidr)))
        raise_all("Network", problems)
        return self


def policies(metadata: Manifest, network: Network, *, serves: bool) -> dict[str, Manifest]:
    """The NetworkPolicies of a team, by role."""
    same_namespace: list[Manifest] = [{"podSelector": {}}]
    # Policies are additive: the workers' policy could not deny what this one allows.
    ((key, value),) = WORKER_NETWORK_LABEL.items()
    no_worker = {"matchExpressions": [{"key": key, "operator": "NotIn", "values": [value]}]}
    specs: dict[str, Manifest] = {}
    sources, targets = _peers(network.allow_from), _peers(network.allow_to, without_metadata=not network.cloud_metadata)
    if sources:
        specs["allow-from"] = {"policyTypes": ["Ingress"], "ingress": [{"from": sources}]}
    if targets:
        specs["allow-to"] = {"policyTypes": ["Egress"], "egress": [{"to": targets}]}
    serving = network.serving or (Serving(anywhere=True) if serves else None)
    if serving is not None:
        callers = [_namespace(name) for name in serving.namespaces]
        ports = [{"protocol": "TCP", "port": port} for port in serving.ports]
        specs["allow-serving"] = {
            "podSelector": {"matchLabels": {"workload-type": "inference"}},
            "policyTypes": ["Ingress"],
            "ingress": [{**({"from": callers} if callers else {}), **({"ports": ports} if ports else {})}],
        }
    specs |= {
        "allow-dns": {"policyTypes": ["Egress"], "egress": [dns(network.dns_namespace)]},
        "allow-same-namespace": {
            "podSelector": no_worker,
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": same_namespace}],
            "egress": [{"to": same_namespace}],
        },
        "default-deny": {"policyTypes": ["Ingress", "Egress"]},
    }
    return {
        role: {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {**metadata, "name": role},
            "spec": {"podSelector": {}, **spec},
        }
        for role, spec in specs.items()
    }


def dns(namespace: str) -> Manifest:
    """The egress rule for DNS: servers in a namespace, and caches on the node."""
    servers = [_namespace(namespace), {"ipBlock": {"cidr": _LINK_LOCAL}}]
    return {"to": servers, "ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]}


def everywhere() -> Manifest:
    """The egress rule for all addresses except the cloud's metadata servers."""
    return {"to": [{"namespaceSelector": {}}, *_peers(Peers(cidrs=["0.0.0.0/0", "::/0"]), without_metadata=True)]}


def _namespace(name: str) -> Manifest:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def _peers(peers: Peers, *, without_metadata: bool = False) -> list[Manifest]:
    blocks = [
        {"ipBlock": {"cidr": cidr, **(_except_metadata(cidr) if without_metadata else {})}} for cidr in peers.cidrs
    ]
    return [*(_namespace(name) for name in peers.namespaces), *blocks]


def _except_metadata(cidr: str) -> Manifest:
    block = ip_network(cidr)
    servers = [address for address in map(ip_address, _METADATA) if address in block]
    return {"except": [str(ip_network(address)) for address in servers]} if servers else {}
