"""Who may talk to a team's pods, and whom they may talk to: NetworkPolicies.

Nothing is allowed but what is named here. A cluster whose network plugin knows no NetworkPolicies
takes them, and enforces none.
"""

from ipaddress import ip_address, ip_network
from typing import Any

from pydantic import Field, model_validator

from ..base.arguments import Arguments
from ..base.cidr import Cidr
from ..base.errors import raise_all, refuse
from ..base.labels import WORKERS
from ..base.names import DnsLabel, Port
from ..base.registration import Manifest

DNS_NAMESPACE = "kube-system"
"""Where clusters have their DNS servers."""

# Where clouds hand out the credentials of the node: whoever reaches it acts as the node does.
_METADATA = ("169.254.169.254", "fd00:ec2::254")
# Where the DNS cache of a node listens.
_LINK_LOCAL = "169.254.0.0/16"


class Peers(Arguments):
    """The other side of a connection."""

    namespaces: list[DnsLabel] = Field(default=[], examples=[["ml-serving"]])
    """Pods of these namespaces."""

    cidrs: list[Cidr] = Field(default=[], examples=[["10.0.0.0/8"]])
    """Addresses of these blocks; ``0.0.0.0/0`` is everything outside of the cluster."""


class Serving(Arguments):
    """Who may call the models that a team serves."""

    ports: list[Port] = Field(default=[], examples=[[8080]])
    """Container ports of the model services; default: all that they listen on."""

    namespaces: list[DnsLabel] = Field(default=[], examples=[["web"]])
    """Namespaces that call them."""

    anywhere: bool = False
    """Anybody may, as behind a public load balancer."""

    @model_validator(mode="after")
    def _for_somebody(self) -> "Serving":
        if bool(self.namespaces) == self.anywhere:
            said = "both are given" if self.anywhere else "neither is given"
            raise refuse(f"models are served to namespaces or to anywhere: {said}", "give one of the two")
        return self


class Network(Arguments):
    """What a team's pods may talk to besides DNS and each other."""

    allow_from: Peers = Peers()
    """Who may open connections to any port of the team's pods."""

    allow_to: Peers = Field(Peers(), examples=[{"cidrs": ["0.0.0.0/0"]}])
    """Whom the team's pods may open connections to: data, registries of models and packages."""

    serving: Serving | None = Field(default=None, examples=[{"ports": [8080], "anywhere": True}])
    """Who may call the team's model services; default: the team itself, and anywhere for a team that
    ``serves``."""

    dns_namespace: DnsLabel = DNS_NAMESPACE
    """Namespace of the cluster's DNS servers. The caches of nodes (169.254.0.0/16) are asked too."""

    cloud_metadata: bool = False
    """Let pods reach the cloud's metadata server, and with it the node's own credentials, where
    ``allow_to`` covers its address."""

    @model_validator(mode="after")
    def _metadata_is_named(self) -> "Network":
        """An exception has to leave something of its block."""
        problems: list[Any] = []
        for index, cidr in enumerate(self.allow_to.cidrs):
            if not self.cloud_metadata and ip_network(cidr) in map(ip_network, _METADATA):
                error = refuse(f"{cidr} is the cloud's metadata server itself", "set cloudMetadata: true, or remove it")
                problems.append((("allowTo", "cidrs", index), error))
        raise_all("Network", problems)
        return self


def policies(metadata: Manifest, network: Network, *, serves: bool) -> dict[str, Manifest]:
    """The NetworkPolicies of a team, by role."""
    itself: list[Manifest] = [{"podSelector": {}}]
    # Policies add up: what this one let in, the workers' own could not keep out.
    ((key, value),) = WORKERS.items()
    no_worker = {"matchExpressions": [{"key": key, "operator": "NotIn", "values": [value]}]}
    specs: dict[str, Manifest] = {}
    sources, targets = _peers(network.allow_from), _peers(network.allow_to, hidden=not network.cloud_metadata)
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
            "ingress": [{"from": itself}],
            "egress": [{"to": itself}],
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
    """The egress rule that lets names be resolved, by the servers in a namespace or on the node itself."""
    servers = [_namespace(namespace), {"ipBlock": {"cidr": _LINK_LOCAL}}]
    return {"to": servers, "ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]}


def everywhere() -> Manifest:
    """The egress rule that lets pods call any address but the cloud's metadata servers."""
    return {"to": [{"namespaceSelector": {}}, *_peers(Peers(cidrs=["0.0.0.0/0", "::/0"]), hidden=True)]}


def _namespace(name: str) -> Manifest:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def _peers(peers: Peers, *, hidden: bool = False) -> list[Manifest]:
    blocks = [{"ipBlock": {"cidr": cidr, **(_except_metadata(cidr) if hidden else {})}} for cidr in peers.cidrs]
    return [*(_namespace(name) for name in peers.namespaces), *blocks]


def _except_metadata(cidr: str) -> Manifest:
    block = ip_network(cidr)
    servers = [address for address in map(ip_address, _METADATA) if address in block]
    return {"except": [str(ip_network(address)) for address in servers]} if servers else {}
