"""How clients reach a model: its Service, and an Ingress or a Gateway's HTTPRoute in front of it."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ..base.arguments import Arguments
from ..base.cidr import Cidr
from ..base.error_table import REQUIRES
from ..base.errors import raise_all
from ..base.names import AnnotationArguments, ObjectName, Port, ServiceName
from ..base.objects import Manifest
from ..base.registration import annotated

# By default, the provider waits for an address, which never appears without a controller in the cluster.
_SKIP_AWAIT = {"pulumi.com/skipAwait": "true"}


class ServiceArgs(Arguments):
    """The Service in front of a model. Updatable in place."""

    name: ServiceName | None = Field(default=None, examples=["model-api"])
    """Name of the Service, which clients use. Defaults to the component's name. A change replaces the object."""

    type: Literal["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"] = "ClusterIP"
    """How the Service is exposed.

    ``ClusterIP``: inside the cluster only. ``NodePort``: on a static port of every node, for development
    and tests. ``LoadBalancer``: by the cloud's load balancer, for production. ``ExternalName``: the model
    is hosted elsewhere; the Service is an alias of ``external_name``, and there are no pods.
    """

    port: Port = 80
    """The port that clients use."""

    node_port: Annotated[int, Field(ge=30000, le=32767, strict=True)] | None = None
    """The port on the nodes. Kubernetes assigns one by default. Requires ``type: NodePort``."""

    annotations: AnnotationArguments = {}
    """Annotations of the Service, which clouds read for their load balancers."""

    source_ranges: list[Cidr] = Field(default=[], examples=[["203.0.113.0/24"]])
    """CIDR blocks that the load balancer accepts clients from; all if empty. Requires ``type: LoadBalancer``."""

    await_address: bool = True
    """Whether ``pulumi up`` waits for the load balancer's address. ``false`` requires ``type: LoadBalancer``."""

    external_name: ObjectName | None = Field(default=None, examples=["models.example.com"])
    """The host that serves the model. Requires ``type: ExternalName``, which requires it."""

    @model_validator(mode="after")
    def _check_type(self) -> "ServiceArgs":
        raise_all("ServiceArgs", self._problems())
        return self

    def _problems(self) -> Iterator[Any]:
        for argument, required, is_set in (
            ("nodePort", "NodePort", self.node_port is not None),
            ("sourceRanges", "LoadBalancer", bool(self.source_ranges)),
            ("awaitAddress", "LoadBalancer", not self.await_address),
            ("externalName", "ExternalName", self.external_name is not None),
        ):
            if is_set and self.type != required:
                yield (argument,), REQUIRES(requirement=f"type: {required}", argument=argument)
        if self.type == "ExternalName" and self.external_name is None:
            yield ("type",), REQUIRES(requirement="externalName", argument="type: ExternalName")


class IngressArgs(Arguments):
    """An Ingress in front of the Service. The cluster must have an ingress controller. Updatable in place."""

    host: ObjectName = Field(examples=["models.example.com"])
    """Host name that clients use."""

    path: Annotated[str, Field(pattern="^/")] = "/"
    """Prefix of the paths that are routed to the model."""

    class_name: ObjectName | None = Field(default=None, examples=["nginx"])
    """IngressClass. Defaults to that of the cluster."""

    tls_secret: ObjectName | None = None
    """Secret with the TLS certificate of the host. Without it, the Ingress has no TLS."""

    annotations: AnnotationArguments = {}
    """Annotations of the Ingress, which ingress controllers read."""

    await_address: bool = True
    """Whether ``pulumi up`` waits for the address of the Ingress."""


class RouteArgs(Arguments):
    """An HTTPRoute to the Service. The cluster must have the Gateway API. Updatable in place."""

    gateway: ObjectName = Field(examples=["public"])
    """Name of the Gateway."""

    gateway_namespace: ObjectName | None = None
    """Namespace of the Gateway. Defaults to that of the workload."""

    hosts: list[ObjectName] = Field(default=[], examples=[["models.example.com"]])
    """Host names that clients use. Defaults to those of the Gateway."""

    path: Annotated[str, Field(pattern="^/")] = "/"
    """Prefix of the paths that are routed to the model."""


def service(metadata: Manifest, args: ServiceArgs, selector: Mapping[str, Any], target_port: int) -> Manifest:
    """The Service. ``target_port`` is the container port."""
    port: Manifest = {"name": "http", "port": args.port}
    if args.type == "ExternalName":
        spec: Manifest = {"type": args.type, "externalName": args.external_name, "ports": [port]}
    else:
        port["targetPort"] = target_port
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
    """The HTTPRoute. ``backends`` are the weights of the Services by name."""
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
    """The load balancer's host name or IP address from the status of a Service or an Ingress; None without one."""
    ingress = ((status or {}).get("loadBalancer") or {}).get("ingress") or [{}]
    found: str | None = ingress[0].get("hostname") or ingress[0].get("ip")
    return found
