"""The objects of a ModelService."""

from collections.abc import Mapping

from ..base.errors import Problem
from ..base.labels import NAME_LABEL, Labels, selector, workload_labels
from ..base.objects import Manifest
from ..base.quantities import Quantity
from ..base.registration import FORCE, Manifests, annotated
from ..team_namespace.args import Tenant
from ..workload.pod_template import PodExtras, pod_template, service_account
from . import networking
from .args import ModelServiceArgs
from .autoscaling import autoscaler
from .canary import canary_labels, canary_name, canary_selector
from .config_checksum import config_checksum
from .metrics import monitor
from .model_source import VOLUME
from .rollout import disruption_budget, prestop_delay, rollout_warnings, strategy, topology_spread


def manifests(name: str, args: ModelServiceArgs, tenant: Tenant) -> Manifests:
    """The objects of a ModelService by role."""
    name = args.object_name(name)
    derived = {"team": tenant.team, "app.kubernetes.io/component": "model-server"}
    labels = workload_labels(name, "inference", args.labels, derived)
    metadata = annotated({"name": name, "namespace": tenant.namespace, "labels": labels}, args.annotations)
    service = args.service.name or name
    service_metadata = {**metadata, "name": service}
    if not args.has_pods():
        return {"service": networking.service(service_metadata, args.service, {}, args.port)}
    pods = selector(labels)
    replicas = None if args.autoscale else args.replicas
    objects: dict[str, Manifest] = {
        **service_account(name, args, metadata),
        # Before the Deployment: a budget of another owner ends the update before the Deployment, which is forced,
        # is applied.
        "disruption-budget": disruption_budget(name, metadata, pods, args.disruption),
        "deployment": _deployment(name, _with_derived_arguments(args), metadata, pods, replicas),
        **_canary(name, args, metadata),
        "service": networking.service(service_metadata, args.service, pods, args.port),
    }
    if args.autoscale is not None:
        role = "scaled-object" if args.autoscale.keda else "autoscaler"
        objects[role] = autoscaler(name, metadata, args.autoscale)
    if args.ingress is not None:
        objects["ingress"] = networking.ingress(metadata, args.ingress, service, args.service.port)
    if args.route is not None:
        weight = args.canary.weight if args.canary else 0
        backends = {service: 100 - weight, **({canary_name(service): weight} if args.canary else {})}
        objects["route"] = networking.http_route(metadata, args.route, backends, args.service.port)
    if args.metrics is not None and args.metrics.monitor is not None:
        # The pods of both versions, whose app labels differ behind a route.
        versions = {NAME_LABEL: labels[NAME_LABEL]}
        objects[f"{args.metrics.monitor}-monitor"] = monitor(metadata, args.metrics, versions, _metrics_port(args))
    return objects


def _canary(name: str, args: ModelServiceArgs, metadata: Manifest) -> dict[str, Manifest]:
    if args.canary is None:
        return {}
    routed = args.route is not None
    labels = canary_labels(metadata["labels"], routed=routed)
    pods = canary_selector(labels)
    metadata = {**metadata, "name": canary_name(name), "labels": labels}
    version = args.model_copy(update={"image": args.canary.image, "version": args.canary.version})
    deployment = _deployment(name, _with_derived_arguments(version), metadata, pods, args.canary_replicas())
    objects = {"canary": deployment}
    if routed:
        # A ClusterIP: clients outside the cluster connect through the route.
        service_metadata = {**metadata, "name": canary_name(args.service.name or name)}
        service_args = networking.ServiceArgs(port=args.service.port)
        objects["canary-service"] = networking.service(service_metadata, service_args, pods, args.port)
    return objects


def _deployment(name: str, args: ModelServiceArgs, metadata: Manifest, pods: Labels, replicas: int | None) -> Manifest:
    version = {"model-version": args.version, "app.kubernetes.io/version": args.version} if args.version else {}
    labels = {**metadata["labels"], **version}
    hook, grace_period = prestop_delay(args.drain_seconds)
    ports = [{"name": "http", "containerPort": args.port}]
    if _metrics_port(args) == "metrics" and args.metrics is not None:
        ports.append({"name": "metrics", "containerPort": args.metrics.port})
    main = {"ports": ports, **args.health.manifest(args.port, args.startup_budget_seconds), **hook}
    spec = {"topologySpreadConstraints": topology_spread(pods), **grace_period}
    pod = PodExtras(labels, shared_memory=args.shared_memory, main=main, spec=spec)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        # An autoscaler, or a manual scale, manages the number of pods. Without this annotation, the API server rejects
        # a number from another manager; and the change of the annotation itself makes the provider send the number
        # again even if it remembers an equal one from before the autoscaler.
        "metadata": annotated({**metadata, "labels": labels}, {} if replicas is None else FORCE),
        "spec": {
            **({} if replicas is None else {"replicas": replicas}),
            "selector": {"matchLabels": pods},
            "strategy": strategy(args.effective_rollout()),
            "progressDeadlineSeconds": args.startup_budget_seconds,
            "revisionHistoryLimit": args.revision_history,
            "template": pod_template(name, args, pod),
        },
    }


def _with_derived_arguments(args: ModelServiceArgs) -> ModelServiceArgs:
    """The arguments with those parts of the pod that follow from others: the model's volume, download and checksum."""
    model = args.model
    return args.model_copy(
        update={
            "volumes": {**args.volumes, **({VOLUME: model.volume()} if model else {})},
            "init_containers": [*(model.init_containers() if model else []), *args.init_containers],
            "annotations": {**args.annotations, **config_checksum(args.volumes, args.config_version)},
        }
    )


def _metrics_port(args: ModelServiceArgs) -> str:
    """The name of the container port that serves the metrics."""
    return "metrics" if args.metrics and args.metrics.port not in {None, args.port} else "http"


def warnings(args: ModelServiceArgs, quota: Mapping[str, Quantity]) -> list[Problem]:
    """Valid arguments whose effect may be unexpected, given the team's quota."""
    if not args.has_pods():
        return []
    gpus = args.node_pool.gpus(args.gpus) if args.node_pool else {}
    return list(rollout_warnings(args.effective_rollout(), args.max_replicas(), gpus, quota))
