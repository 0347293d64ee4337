"""ModelService: a model behind a stable name, changed without dropping a request."""

from collections.abc import Mapping
from typing import Annotated, Any

import pulumi
from pydantic import Field

from . import canary as canaries
from . import exposure, rollout, scaling
from .arguments import checked_name, refuse
from .canary import Canary
from .checksum import config_checksum
from .exposure import IngressArgs, RouteArgs, ServiceArgs
from .labels import NAME, Labels, selector, workload_labels
from .metrics import Metrics, monitor
from .model_source import VOLUME, Model
from .names import INT32, MAX_INT32, LabelValue, Port, ServiceName
from .probes import Health
from .quantities import Quantity
from .registration import Manifest, Manifests, annotated, register_all
from .resources import Resources
from .rollout import Disruption, Rollout
from .scaling import Autoscale
from .team_namespace import Tenant
from .volumes import of_one_node
from .workload import EnvValue, Pod, WorkloadArgs, pod_template, service_account

TYPE = "ml-platform:index:ModelService"

# A server that asks for nothing: 2 cores and 4 GiB set aside, 4 cores and 8 GiB at most.
DEFAULT_RESOURCES = Resources(requests={"cpu": "2", "memory": "4Gi"}, limits={"cpu": "4", "memory": "8Gi"})

# What a service without pods of its own can have.
_WITHOUT_PODS = {"team", "namespace", "labels", "annotations", "service"}

Seconds = Annotated[int, Field(ge=1, strict=True), INT32]


class ModelServiceArgs(WorkloadArgs):
    """Arguments of a ModelService."""

    replicas: Annotated[int, Field(ge=1, strict=True), INT32] = Field(default=1, examples=[3])
    """How many identical pods serve. Give this or ``autoscale``."""

    autoscale: Autoscale | None = None
    """Lets the number of pods follow the load. Give this or ``replicas``.

    On the way back to ``replicas`` the autoscaler is deleted last, and may scale once more until then:
    ``pulumi up --refresh`` settles that.
    """

    port: Port = Field(default=8080, examples=[8080])
    """The port that the container listens on."""

    version: LabelValue | None = Field(default=None, examples=["v1.2.3"])
    """The ``model-version`` label."""

    model: Model | None = None
    """Where the model comes from; default: it is in the image."""

    config_version: EnvValue | None = None
    """Anything that differs when the content of a mounted ConfigMap or Secret does: a hash of it, its resourceVersion.

    The pods are replaced when it changes. When a volume refers to another ConfigMap or Secret, they are anyway.
    """

    service: ServiceArgs = ServiceArgs()
    """The Service in front of the pods."""

    ingress: IngressArgs | None = None
    """An Ingress in front of the Service; default: none."""

    route: RouteArgs | None = None
    """A Gateway's HTTPRoute to the Service; default: none."""

    canary: Canary | None = None
    """A new version beside this one, for a part of the requests; default: none.

    Beside ``autoscale`` it takes a ``route``: an autoscaler would count the pods of both versions.
    """

    health: Health = Health()
    """How Kubernetes asks a pod whether it can serve."""

    startup_budget: Seconds = 600
    """Seconds in which a new pod has to serve: to pull its image and to load its model.

    It sets how long the startup probe may fail, Kubernetes' ``progressDeadlineSeconds``, and how long
    ``pulumi up`` waits: once for all the pods that start together, so that a rolling update of three
    pods, one after the other, has three times as long. Default: what Kubernetes and the provider take.
    """

    rollout: Rollout | None = None
    """How a new version takes the place of the old one.

    ``surge``: a new pod serves before an old one goes, which takes room for one more pod in four.
    ``replace``: an old pod goes first, so that one pod fewer serves meanwhile. Default: surge, but
    replace with GPUs, since the new pod would wait for one that an old pod holds, and with a
    volume that only one pod can mount.
    """

    drain: Annotated[int, Field(ge=0, strict=True), INT32] = 15
    """Seconds that a pod goes on serving after it was told to stop.

    Routers and load balancers take that long to hear of it; then it has thirty more to finish the
    requests that it has. Default: more than the ten seconds between the checks of most load balancers.
    """

    disruption: Disruption = Disruption()
    """How many pods may be taken at once by what drains nodes."""

    revision_history: Annotated[int, Field(ge=0, strict=True), INT32] = 0
    """How many old versions the cluster keeps for ``kubectl rollout undo``.

    Default: none. The stack's own history has them all, and ``pulumi up`` waits for each rollout. Going
    back to a version that the cluster kept, the provider may take it for rolled out before it is.
    """

    metrics: Metrics | None = None
    """Where the server tells its metrics; default: nowhere."""

    timeout: Seconds | None = None
    """Seconds that ``pulumi up`` waits for each object; default: see ``startup_budget``."""

    def default_resources(self) -> Resources:
        """What a server gets that asks for nothing."""
        return DEFAULT_RESOURCES

    def has_pods(self) -> bool:
        """Whether the model is served here, and not elsewhere."""
        return self.service.type != "ExternalName"

    def fewest_pods(self) -> int:
        """How many pods serve at least, beside a canary's."""
        return self.replicas if self.autoscale is None else self.autoscale.min

    def most_pods(self) -> int:
        """How many pods serve at most, beside a canary's."""
        return self.replicas if self.autoscale is None else self.autoscale.max

    def canary_pods(self) -> int:
        """How many pods the canary has."""
        routed = self.route is not None
        return 0 if self.canary is None else canaries.pods(self.canary, max(1, self.fewest_pods()), routed=routed)

    def chosen_rollout(self) -> Rollout:
        """The way of rolling out: the user's own, or the one that makes progress."""
        if self.rollout is not None:
            return self.rollout
        return "replace" if self.gpus or self._of_one_pod() else "surge"

    def wait(self, pods: int) -> int:
        """Seconds that ``pulumi up`` waits for a rollout of so many pods."""
        steps = rollout.steps(self.chosen_rollout(), pods)
        return self.timeout or min(self.startup_budget * steps, MAX_INT32)

    def _of_one_pod(self) -> list[str]:
        """The volumes that the pods of one node only can mount, as paths of arguments."""
        paths = [f"volumes.{name}" for name in of_one_node(self.volumes)]
        if self.model is not None and of_one_node({VOLUME: self.model.volume()}):
            paths.append("model.source")
        return paths

    def main_container(self) -> str:
        """Its name."""
        return "server"

    def _own(self) -> list[Any]:
        if not self.has_pods():
            return self._needs_pods()
        metrics_port = self.metrics.port if self.metrics else None
        health = self.health.problems(self.startup_budget, {self.port, metrics_port or self.port})
        problems: list[Any] = [(("health", *path), error) for path, error in health]
        if self.model is not None:
            problems += self.model.problems(self.volumes, self.init)
        if self.canary is not None:
            routed, scaled = self.route is not None, self.autoscale is not None
            problems += self.canary.problems(routed=routed, scaled=scaled)
            if routed:  # what is named after the component is checked with the component's name
                problems += canaries.fits(self.service.name or "", ["service", "name"])
                problems += canaries.fits(self.labels.get("app", ""), ["labels", "app"])
        return [*problems, *self._scaling(), *self._sharing()]

    def _needs_pods(self) -> list[Any]:
        given = self.model_fields_set - _WITHOUT_PODS
        spelled = [str(type(self).model_fields[name].alias) for name in sorted(given)]
        what = "a model that is hosted elsewhere (service.type ExternalName) has no pods and nothing in front of them"
        return [((name,), refuse(what, "remove it, or choose another type of service")) for name in spelled]

    def _scaling(self) -> list[Any]:
        if self.autoscale is None:
            return []
        problems: list[Any] = []
        if "replicas" in self.model_fields_set:
            mend = "remove replicas: autoscale.min is the fewest pods"
            problems.append((("replicas",), refuse("the autoscaler decides how many pods serve", mend)))
        if self.autoscale.cpu is not None and "cpu" not in self.main_resources().requests:
            mend = "set resources.requests.cpu"
            problems.append((("autoscale", "cpu"), refuse("is a percentage of a request that is not given", mend)))
        return problems

    def _sharing(self) -> list[Any]:
        """A volume of one node, mounted by pods that may be on several."""
        reasons = []
        if self.most_pods() > 1:
            argument = "replicas" if self.autoscale is None else "autoscale.max"
            reasons.append((f"{self.most_pods()} pods", f"set {argument} to 1"))
        if self.canary is not None:
            reasons.append(("a canary", "remove the canary"))
        if self.rollout == "surge":
            reasons.append(("a surge", "set rollout: replace"))
        shared = "use a volume that several nodes can mount and say so with accessMode"
        return [
            ((*path.split("."), "accessMode"), refuse(f"only one node can mount it, not {who}", f"{shared}, or {mend}"))
            for path in self._of_one_pod()
            for who, mend in reasons
        ]


def manifests(name: str, args: ModelServiceArgs, tenant: Tenant) -> Manifests:
    """The objects of a ModelService, by role."""
    derived = {"team": tenant.team, "app.kubernetes.io/component": "model-server"}
    labels = workload_labels(name, "inference", args.labels, derived)
    metadata = annotated({"name": name, "namespace": tenant.namespace, "labels": labels}, args.annotations)
    service = args.service.name or name
    api = {**metadata, "name": service}
    if not args.has_pods():
        return {"service": exposure.service(api, args.service, {}, args.port)}
    pods = selector(labels)
    objects: dict[str, Manifest] = {
        **service_account(name, args, metadata),
        "deployment": _deployment(
            name, _with_pods_own(args), metadata, pods, None if args.autoscale else args.replicas
        ),
        **_canary(name, args, metadata),
        "service": exposure.service(api, args.service, pods, args.port),
        "disruption-budget": rollout.disruption_budget(name, metadata, pods, args.disruption),
    }
    if args.autoscale is not None:
        role = "scaled-object" if args.autoscale.keda else "autoscaler"
        objects[role] = scaling.autoscaler(name, metadata, args.autoscale)
    if args.ingress is not None:
        objects["ingress"] = exposure.ingress(metadata, args.ingress, service, args.service.port)
    if args.route is not None:
        weight = args.canary.weight if args.canary else 0
        backends = {service: 100 - weight, **({canaries.name(service): weight} if args.canary else {})}
        objects["route"] = exposure.http_route(metadata, args.route, backends, args.service.port)
    if args.metrics is not None and args.metrics.monitor is not None:
        # Both versions, of which each has an app label of its own behind a route.
        versions = {NAME: labels[NAME]}
        objects[f"{args.metrics.monitor}-monitor"] = monitor(metadata, args.metrics, versions, _metrics_port(args))
    return objects


def _canary(name: str, args: ModelServiceArgs, metadata: Manifest) -> dict[str, Manifest]:
    if args.canary is None:
        return {}
    routed = args.route is not None
    own = canaries.labels(metadata["labels"], {}, routed=routed)
    pods = canaries.selector(own)
    metadata = {**metadata, "name": canaries.name(name), "labels": own}
    version = args.model_copy(update={"image": args.canary.image, "version": args.canary.version})
    objects = {"canary": _deployment(name, _with_pods_own(version), metadata, pods, args.canary_pods())}
    if routed:
        # From inside the cluster only: clients come through the route.
        api = {**metadata, "name": canaries.name(args.service.name or name)}
        objects["canary-service"] = exposure.service(api, ServiceArgs(port=args.service.port), pods, args.port)
    return objects


def _deployment(name: str, args: ModelServiceArgs, metadata: Manifest, pods: Labels, replicas: int | None) -> Manifest:
    version = {"model-version": args.version, "app.kubernetes.io/version": args.version} if args.version else {}
    labels = {**metadata["labels"], **version}
    hook, grace = rollout.draining(args.drain)
    ports = [{"name": "http", "containerPort": args.port}]
    if _metrics_port(args) == "metrics" and args.metrics is not None:
        ports.append({"name": "metrics", "containerPort": args.metrics.port})
    main = {"ports": ports, **args.health.manifest(args.port, args.startup_budget), **hook}
    spec = {"topologySpreadConstraints": rollout.spread(pods), **grace}
    pod = Pod(labels, shared_memory=args.shared_memory, main=main, spec=spec)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": annotated({**metadata, "labels": labels}, {} if replicas is None else _TAKES_REPLICAS),
        "spec": {
            **({} if replicas is None else {"replicas": replicas}),
            "selector": {"matchLabels": pods},
            "strategy": rollout.strategy(args.chosen_rollout()),
            "progressDeadlineSeconds": args.startup_budget,
            "revisionHistoryLimit": args.revision_history,
            "template": pod_template(name, args, pod),
        },
    }


# An autoscaler, or somebody who scaled by hand, owns the number of pods. Without this, the API server
# refuses another owner's number; and the change of the annotation itself makes the provider send the
# number again where it still remembers an equal one from before the autoscaler.
_TAKES_REPLICAS = {"pulumi.com/patchForce": "true"}


def _with_pods_own(args: ModelServiceArgs) -> ModelServiceArgs:
    """The arguments with all that makes the pods: the model's volume and download, the checksum."""
    model = args.model
    return args.model_copy(
        update={
            "volumes": {**args.volumes, **({VOLUME: model.volume()} if model else {})},
            "init": [*(model.init() if model else []), *args.init],
            "annotations": {**args.annotations, **config_checksum(args.volumes, args.config_version)},
        }
    )


def _metrics_port(args: ModelServiceArgs) -> str:
    """The name of the container's port that serves the metrics."""
    return "metrics" if args.metrics and args.metrics.port not in {None, args.port} else "http"


def warnings(args: ModelServiceArgs, quota: Mapping[str, Quantity]) -> list[str]:
    """What works, but not as one might expect, given the quota of the team: each with its mend."""
    if not args.has_pods():
        return []
    gpus = args.node_pool.gpus(args.gpus) if args.node_pool else {}
    return rollout.cautions(args.chosen_rollout(), args.most_pods(), gpus, quota)


class ModelService(pulumi.ComponentResource):
    """A model that serves requests in a team's namespace.

    Children: ``<name>-deployment``, ``-service``, ``-disruption-budget`` and ``-service-account``; where
    asked for, ``-autoscaler`` or ``-scaled-object``, ``-ingress``, ``-route``, ``-canary``,
    ``-canary-service``, ``-service-monitor`` or ``-pod-monitor``. For a model that is hosted elsewhere,
    ``<name>-service`` alone.
    """

    url: pulumi.Output[str]
    """Where clients in the cluster reach it."""

    external_address: pulumi.Output[str | None]
    """IP address or host name of its load balancer; None for other types of service."""

    def __init__(
        self, name: str, args: ModelServiceArgs | dict[str, Any], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = ModelServiceArgs.of(args)
        checked_name("ModelService", canaries.name(name) if args.canary else name, ServiceName)
        tenant = args.tenant()
        objects = manifests(name, args, tenant)
        args.count_in(f"ModelService {name}", objects)
        super().__init__(TYPE, name, {}, opts)
        for warning in warnings(args, tenant.quota):
            pulumi.log.warn(warning, resource=self)
        children = register_all(
            self, name, objects, depends_on=args.dependencies(), timeout=args.timeout, options=_options(args)
        )
        service = children["service"]
        port = args.service.port
        self.url = service.metadata.apply(
            lambda metadata: (
                f"http://{metadata['name']}.{metadata['namespace']}.svc.cluster.local"
                + (f":{port}" if port != 80 else "")
            )
        )
        self.external_address = service.status.apply(exposure.address)
        self.register_outputs({"url": self.url, "externalAddress": self.external_address})


def _options(args: ModelServiceArgs) -> dict[str, pulumi.ResourceOptions]:
    """What is special about a role: how long to wait, and what another one owns."""
    # What the API server makes of a number that its owner takes out of the manifest is 1. Ignored, it
    # stays what it is until the autoscaler changes it.
    ignored = ["spec.replicas"] if args.autoscale is not None else []
    return {
        "deployment": pulumi.ResourceOptions(
            custom_timeouts=_timeouts(args.wait(args.most_pods())), ignore_changes=ignored
        ),
        **(
            {"canary": pulumi.ResourceOptions(custom_timeouts=_timeouts(args.wait(args.canary_pods())))}
            if args.canary
            else {}
        ),
    }


def _timeouts(seconds: int) -> pulumi.CustomTimeouts:
    return pulumi.CustomTimeouts(create=f"{seconds}s", update=f"{seconds}s")
