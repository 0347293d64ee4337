"""The objects of a ModelService."""

from collections.abc import Mapping

from ..base.labels import NAME_LABEL, Labels, selector, workload_labels
from ..base.objects import Manifest
from ..base.quantities import Quantity
from ..base.registration import Manifests, annotated
from ..team_namespace.args import Tenant
from ..workload.pod_template import PodExtras, pod_template, service_account
from . import autoscaling as scaling
from . import canary as canaries
from . import networking as exposure
from . import rollout
from .args import ModelServiceArgs
from .config_checksum import config_checksum
from .metrics import monitor
from .model_source import VOLUME
from .networking import ServiceArgs


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
        versions = {NAME_LABEL: labels[NAME_LABEL]}
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
    hook, grace = rollout.draining(args.drain_seconds)
    ports = [{"name": "http", "containerPort": args.port}]
    if _metrics_port(args) == "metrics" and args.metrics is not None:
        ports.append({"name": "metrics", "containerPort": args.metrics.port})
    main = {"ports": ports, **args.health.manifest(args.port, args.startup_budget_seconds), **hook}
    spec = {"topologySpreadConstraints": rollout.spread(pods), **grace}
    pod = PodExtras(labels, shared_memory=args.shared_memory, main=main, spec=spec)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": annotated({**metadata, "labels": labels}, {} if replicas is None else _TAKES_REPLICAS),
        "spec": {
            **({} if replicas is None else {"replicas": replicas}),
            "selector": {"matchLabels": pods},
            "strategy": rollout.strategy(args.chosen_rollout()),
            "progressDeadlineSeconds": args.startup_budget_seconds,
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
            "init_containers": [*(model.init_containers() if model else []), *args.init_containers],
            "annotations": {**args.annotations, **config_checksum(args.volumes, args.config_version)},
        }
    )


def _metrics_port(args: ModelServiceArgs) -> str:
    """The name of the container's port that serves the metrics."""
    return "metrics" if args.metrics and args.metrics.port not in {None, args.port} else "http"


def warnings(args: ModelServiceArgs, quota: Mapping[str, Quantity]) -> list[str]:
    """What works, but not as one might expect, given the quota of the team: each with its fix."""
    if not args.has_pods():
        return []
    gpus = args.node_pool.gpus(args.gpus) if args.node_pool else {}
    return rollout.cautions(args.chosen_rollout(), args.max_replicas(), gpus, quota)
