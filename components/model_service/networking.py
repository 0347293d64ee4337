"""How clients reach a model: its Service, and an Ingress or a route of a Gateway in front of that."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ..base.arguments import Arguments
from ..base.cidr import Cidr
from ..base.errors import raise_all, refuse
from ..base.names import Annotations, ObjectName, Port, ServiceName
from ..base.registration import Manifest, annotated

# The provider waits for an address by default, which a cluster without a controller never gives.
_SKIP_AWAIT = {"pulumi.com/skipAwait": "true"}


class ServiceArgs(Arguments):
    """The Service in front of a model."""

    name: ServiceName | None = Field(default=None, examples=["model-api"])
    """Its name, which clients use; default: the component's."""

    type: Literal["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"] = "ClusterIP"
    """How it is reached.

    ``ClusterIP``: from inside the cluster only. ``NodePort``: on a static port of every node, for
    development and tests. ``LoadBalancer``: through the cloud's load balancer, for production.
    ``ExternalName``: the model is hosted elsewhere; the Service is a name for it, and there are no pods.
    """

    port: Port = 80
    """The port that clients use."""

    node_port: Annotated[int, Field(ge=30000, le=32767, strict=True)] | None = None
    """The port of the nodes, with the type NodePort; default: Kubernetes chooses one."""

    annotations: Annotations = {}
    """Annotations, which clouds read for their load balancers."""

    source_ranges: list[Cidr] = Field(default=[], examples=[["203.0.113.0/24"]])
    """Whom the load balancer lets in, as address ranges; default: everybody."""

    await_address: bool = True
    """Whether ``pulumi up`` waits until the load balancer has an address."""

    external_name: ObjectName | None = Field(default=None, examples=["models.example.com"])
    """The host that serves the model, with the type ExternalName."""

    @model_validator(mode="after")
    def _fits_together(self) -> "ServiceArgs":
        problems: list[Any] = []

        for argument, kind, given in (
            ("nodePort", "NodePort", self.node_port is not None),
            ("sourceRanges", "LoadBalancer", bool(self.source_ranges)),
            ("awaitAddress", "LoadBalancer", not self.await_address),
            ("externalName", "ExternalName", self.external_name is not None),
        ):
            if given and self.type != kind:
                fix = f"set type: {kind} or remove {argument}"
                problems.append(((argument,), refuse(f"goes with the type {kind}, not {self.type}", fix)))
        if self.type == "ExternalName" and self.external_name is None:
            error = refuse("is required with the type ExternalName", value="models.example.com")
            problems.append((("externalName",), error))
        raise_all("ServiceArgs", problems)
        return self


class IngressArgs(Arguments):
    """An Ingress in front of the Service. An ingress controller has to be installed in the cluster."""

    host: ObjectName = Field(examples=["models.example.com"])
    """The host name that clients use."""

    path: Annotated[str, Field(pattern="^/")] = "/"
    """The prefix of the paths that lead to the model."""

    class_name: ObjectName | None = Field(default=None, examples=["nginx"])
    """IngressClass; default: the cluster's."""

    tls_secret: ObjectName | None = None
    """A Secret with the certificate of the host; default: no TLS."""

    annotations: Annotations = {}
    """Annotations, which ingress controllers read."""

    await_address: bool = True
    """Whether ``pulumi up`` waits until the Ingress has an address."""


class RouteArgs(Arguments):
    """An HTTPRoute to the Service. The Gateway API has to be installed in the cluster."""

    gateway: ObjectName = Field(examples=["public"])
    """The Gateway that it belongs to."""

    gateway_namespace: ObjectName | None = None
    """The Gateway's namespace; default: the workload's own."""

    hosts: list[ObjectName] = Field(default=[], examples=[["models.example.com"]])
    """The host names that clients use; default: the Gateway's."""

    path: Annotated[str, Field(pattern="^/")] = "/"
    """The prefix of the paths that lead to the model."""


def service(metadata: Manifest, args: ServiceArgs, selector: Mapping[str, Any], target: int) -> Manifest:
    """The Service. ``target`` is the port that the container listens on."""
    port: Manifest = {"name": "http", "port": args.port}
    if args.type == "ExternalName":
        spec: Manifest = {"type": args.type, "externalName": args.external_name, "ports": [port]}
    else:
        port["targetPort"] = target
        if args.node_port is not None:
            port["nodePort"] = args.node_port
        spec = {"type": args.type, "selector": dict(selector), "ports": [port]}
    if args.source_ranges:
        spec["loadBalancerSourceRanges"] = args.source_ranges
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _annotated(metadata, args),
        "spec": spec,
    }


def ingress(metadata: Manifest, args: IngressArgs, service: str, port: int) -> Manifest:
    """The Ingress to a port of a Service."""
    backend = {"service": {"name": service, "port": {"number": port}}}
    rule = {"host": args.host, "http": {"paths": [{"path": args.path, "pathType": "Prefix", "backend": backend}]}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": _annotated(metadata, args),
        "spec": {
            **({"ingressClassName": args.class_name} if args.class_name else {}),
            **({"tls": [{"hosts": [args.host], "secretName": args.tls_secret}]} if args.tls_secret else {}),
            "rules": [rule],
        },
    }


def _annotated(metadata: Manifest, args: ServiceArgs | IngressArgs) -> Manifest:
    return annotated(metadata, {**args.annotations, **({} if args.await_address else _SKIP_AWAIT)})


def http_route(metadata: Manifest, args: RouteArgs, backends: Mapping[str, int], port: int) -> Manifest:
    """The HTTPRoute to Services by their weights."""
    namespace = {"namespace": args.gateway_namespace} if args.gateway_namespace else {}
    rule = {
        "matches": [{"path": {"type": "PathPrefix", "value": args.path}}],
        "backendRefs": [{"name": name, "port": port, "weight": weight} for name, weight in backends.items()],
    }
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": metadata,
        "spec": {
            "parentRefs": [{"name": args.gateway, **namespace}],
            **({"hostnames": args.hosts} if args.hosts else {}),
            "rules": [rule],
        },
    }


def address(status: Mapping[str, Any] | None) -> str | None:
    """The IP address or host name in the status of a Service or an Ingress, where a load balancer has given one."""
    ingress = ((status or {}).get("loadBalancer") or {}).get("ingress") or [{}]
    found: str | None = ingress[0].get("hostname") or ingress[0].get("ip")
    return found
