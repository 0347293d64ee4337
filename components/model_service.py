"""ModelService: a model behind a stable name, as a Deployment and a Service."""

from typing import Annotated, Any, Literal

import pulumi
from pydantic import Field, model_validator

from components.arguments import Arguments, checked_name, refuse, refuse_all
from components.labels import selector, workload_labels
from components.names import Annotations, LabelValue, Port, ServiceName
from components.probes import Health
from components.registration import Manifest, Manifests, register_all
from components.resources import Resources
from components.team_namespace import Tenant
from components.workload import Pod, WorkloadArgs, pod_template, service_account

TYPE = "ml-platform:index:ModelService"

# The lesson's inference container: 2 cores and 4 GiB set aside, 4 cores and 8 GiB at most.
DEFAULT_RESOURCES = Resources(requests={"cpu": "2", "memory": "4Gi"}, limits={"cpu": "4", "memory": "8Gi"})


class ServiceArgs(Arguments):
    """The Service in front of a model."""

    name: ServiceName | None = Field(None, examples=["model-api"])
    """Its name, which clients use; default: the component's."""

    type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = "ClusterIP"
    """How it is reached.

    ``ClusterIP``: from inside the cluster only. ``NodePort``: on a static port of every node, for
    development and tests. ``LoadBalancer``: through the cloud's load balancer, for production.
    """

    port: Port = 80
    """The port that clients use."""

    node_port: Annotated[int, Field(ge=30000, le=32767, strict=True)] | None = None
    """The port of the nodes, with the type NodePort; default: Kubernetes chooses one."""

    annotations: Annotations = {}
    """Annotations, which clouds read for their load balancers."""

    @model_validator(mode="after")
    def _fits_together(self) -> "ServiceArgs":
        if self.node_port is not None and self.type != "NodePort":
            error = refuse(f"goes with the type NodePort, not {self.type}", "set type: NodePort or remove nodePort")
            refuse_all("ServiceArgs", [(("nodePort",), error)])
        return self


class ModelServiceArgs(WorkloadArgs):
    """Arguments of a ModelService."""

    replicas: Annotated[int, Field(ge=1, strict=True)] = Field(1, examples=[3])
    """How many identical pods serve."""

    port: Port = Field(8080, examples=[8080])
    """The port that the container listens on."""

    version: LabelValue | None = Field(None, examples=["v1.2.3"])
    """The ``model-version`` label."""

    service: ServiceArgs = ServiceArgs()
    """The Service in front of the pods."""

    health: Health = Health()
    """How Kubernetes asks a pod whether it can serve."""

    timeout: Annotated[int, Field(ge=1, strict=True)] | None = None
    """Seconds that ``pulumi up`` waits; default: the provider's own, ten minutes."""

    def default_resources(self) -> Resources:
        """The lesson's."""
        return DEFAULT_RESOURCES

    @model_validator(mode="after")
    def _probes_fit(self) -> "ModelServiceArgs":
        problems = []
        for kind, probe in self.health.probes():
            if probe.port is not None and probe.port != self.port:
                error = refuse(f"no container listens on {probe.port}", "remove it: probes use the port", self.port)
                problems.append((("health", kind, "port"), error))
        refuse_all("ModelServiceArgs", problems)
        return self


def manifests(name: str, args: ModelServiceArgs, tenant: Tenant) -> Manifests:
    """The objects of a ModelService, by role."""
    labels = workload_labels(name, "inference", args.labels, {"team": tenant.team})
    metadata = {"name": name, "namespace": tenant.namespace, "labels": labels}
    # The stable parts stay as they are when the version of the model changes.
    version = {"model-version": args.version} if args.version else {}
    return {
        **service_account(name, args, metadata),
        "deployment": _deployment(name, args, {**metadata, "labels": {**labels, **version}}),
        "service": _service(name, args, metadata),
    }


def _deployment(name: str, args: ModelServiceArgs, metadata: Manifest) -> Manifest:
    labels = metadata["labels"]
    main = {"ports": [{"name": "http", "containerPort": args.port}], **args.health.manifest(args.port)}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {
            "replicas": args.replicas,
            "selector": {"matchLabels": selector(labels)},
            "template": pod_template(name, args, Pod("server", labels, shared_memory=args.shared_memory, main=main)),
        },
    }


def _service(name: str, args: ModelServiceArgs, metadata: Manifest) -> Manifest:
    service = args.service
    port = {"name": "http", "port": service.port, "targetPort": args.port}
    if service.node_port is not None:
        port["nodePort"] = service.node_port
    annotations = {"annotations": service.annotations} if service.annotations else {}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {**metadata, "name": service.name or name, **annotations},
        "spec": {"type": service.type, "selector": selector(metadata["labels"]), "ports": [port]},
    }


class ModelService(pulumi.ComponentResource):
    """A model that serves requests in a team's namespace.

    Children: ``<name>-deployment``, ``<name>-service`` and ``<name>-service-account``.
    """

    url: pulumi.Output[str]
    """Where clients in the cluster reach it."""

    external_address: pulumi.Output[str | None]
    """IP address or host name of its load balancer; None for other types of service."""

    def __init__(
        self, name: str, args: ModelServiceArgs | dict[str, Any], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = ModelServiceArgs.of(args)
        checked_name("ModelService", name, ServiceName)
        objects = manifests(name, args, args.tenant())
        args.count_in(f"ModelService {name}", objects)
        super().__init__(TYPE, name, {}, opts)
        children = register_all(self, name, objects, depends_on=args.dependencies(), timeout=args.timeout)
        service = children["service"]
        port = args.service.port
        self.url = service.metadata.apply(
            lambda metadata: (
                f"http://{metadata['name']}.{metadata['namespace']}.svc.cluster.local"
                + (f":{port}" if port != 80 else "")
            )
        )
        self.external_address = service.status.apply(_external_address)
        self.register_outputs({"url": self.url, "externalAddress": self.external_address})


def _external_address(status: dict[str, Any] | None) -> str | None:
    ingress = ((status or {}).get("loadBalancer") or {}).get("ingress") or [{}]
    address: str | None = ingress[0].get("hostname") or ingress[0].get("ip")
    return address
