"""The footprint of a workload: the quota that it uses at its peak, computed from its manifests.

The rules are those of the quota evaluators of Kubernetes, and of its LimitRanger, which sets the defaults of containers
before the quota is checked.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ..base.objects import Manifest, int_or_percent
from ..base.quantities import parse_quantity
from ..pod.security import PodSecurityLevel, restricted_violations
from .image_registries import images
from .limit_range import ContainerLimits

Usage = dict[str, Decimal]
"""Quantities by quota key."""

_NONE = Decimal(0)
# The default of a Job's backoffLimit.
_BACKOFF_LIMIT = 6
# KEDA's default of maxReplicaCount.
_KEDA_MAXIMUM = 100
_CORE_COUNTS = {"ConfigMap", "PersistentVolumeClaim", "ReplicationController", "ResourceQuota", "Secret", "Service"}


@dataclass(frozen=True)
class Container:
    """A container after admission, with its defaults."""

    name: str
    requests: Usage
    limits: Usage

    def quota_keys(self) -> set[str]:
        """The quota keys for which it sets a value."""
        return {
            *self.requests,
            *(f"requests.{name}" for name in self.requests),
            *(f"limits.{name}" for name in self.limits),
        }


@dataclass(frozen=True)
class Pods:
    """Pods of one template that exist at the same time."""

    count: int
    description: str
    """The count in words, such as ``3 replicas and 1 during a rollout``."""

    each: Usage
    """The usage of one pod."""

    containers: tuple[Container, ...]
    priority_class: str | None
    restricted_violations: Mapping[str, PodSecurityLevel]
    """The settings that Pod Security ``restricted`` denies, with the strictest level that allows each."""

    images: frozenset[str]
    memory_volume: Decimal
    """The size in bytes of the largest memory-backed volume, which counts as memory of the container that fills it."""


@dataclass
class Footprint:
    """The usage of a workload at its peak."""

    pods: list[Pods] = field(default_factory=list)
    objects: Usage = field(default_factory=dict)
    """The number of objects, and the storage and ports that they use."""


def footprint(manifests: Iterable[Manifest], limits: ContainerLimits) -> Footprint:
    """The footprint of the objects of one workload, in a namespace with these container limits."""
    objects = list(manifests)
    filled = limits.filled()
    defaults = _parsed(filled.default_request), _parsed(filled.default)
    maxima = dict(filter(None, map(_autoscaled, objects)))
    result = Footprint()
    counted: Usage = defaultdict(Decimal)
    for manifest in objects:
        _count_object(manifest, counted)
        maximum = maxima.get((manifest["kind"], manifest["metadata"]["name"]))
        for peak in _peaks(manifest, maximum):
            result.pods.append(_pods(peak, defaults))
            counted["count/pods"] += peak.with_ended
            _count_claims(peak.template, peak.count, counted)
    result.objects = {key: value for key, value in counted.items() if value}
    return result


def _autoscaled(manifest: Manifest) -> tuple[tuple[str, str], int] | None:
    """The kind and name of what an autoscaler scales, and its maximum; None for any other object."""
    if manifest["kind"] not in {"HorizontalPodAutoscaler", "ScaledObject"}:
        return None
    spec = manifest["spec"]
    target = spec["scaleTargetRef"]
    maximum = spec["maxReplicas"] if "maxReplicas" in spec else spec.get("maxReplicaCount", _KEDA_MAXIMUM)
    return (target.get("kind", "Deployment"), target["name"]), maximum


@dataclass(frozen=True)
class _Peak:
    """The pods of one template of an object, at most."""

    count: int
    description: str
    with_ended: int
    """The count including pods that have completed or failed."""

    template: Manifest


def _peaks(manifest: Manifest, maximum: int | None) -> list[_Peak]:
    """The pods of an object at its peak. ``maximum``: that of its autoscaler."""
    kind, spec = manifest["kind"], manifest.get("spec", {})
    if kind == "Pod":
        return [_Peak(1, "1 pod", 1, manifest)]
    if kind == "Deployment":
        replicas = spec.get("replicas", 1) if maximum is None else maximum
        surge = _surge(spec.get("strategy", {}), replicas)
        description = f"{replicas} {'at most' if maximum is not None else 'replicas' if replicas != 1 else 'replica'}"
        description += f" and {surge} during a rollout" if surge else ""
        return [_Peak(replicas + surge, description, replicas + surge, spec["template"])]
    if kind == "StatefulSet":
        replicas = spec.get("replicas", 1) if maximum is None else maximum
        return [_Peak(replicas, f"{replicas} replicas", replicas, spec["template"])]
    if kind == "Job":
        return [_job(spec, 1)]
    if kind == "CronJob":
        return [_job(spec["jobTemplate"]["spec"], 1)]
    if kind == "JobSet":
        return [_job(job["template"]["spec"], job.get("replicas", 1)) for job in spec["replicatedJobs"]]
    return []


def _job(spec: Manifest, jobs: int) -> _Peak:
    parallel = spec.get("parallelism", 1)
    completions = spec.get("completions")
    running = parallel if completions is None else min(parallel, completions)
    pods = "1 pod" if running == 1 else f"{running} pods"
    # Pods that have completed or failed exist as long as their Job, and count as objects.
    with_ended = max(running, completions or 0)
    if spec["template"]["spec"].get("restartPolicy") == "Never":
        each = spec.get("backoffLimitPerIndex")
        with_ended += spec.get("backoffLimit", _BACKOFF_LIMIT) if each is None else each * with_ended
    description = pods if jobs == 1 else f"{jobs} jobs of {pods}"
    return _Peak(jobs * running, description, jobs * with_ended, spec["template"])


def _surge(strategy: Manifest, replicas: int) -> int:
    """The number of pods that a rollout adds to the replicas."""
    if strategy.get("type", "RollingUpdate") == "Recreate":
        return 0
    return int_or_percent(strategy.get("rollingUpdate", {}).get("maxSurge", "25%"), replicas, round_up=True)


def _pods(peak: _Peak, defaults: tuple[Usage, Usage]) -> Pods:
    spec = peak.template["spec"]
    main = [_container(container, *defaults) for container in spec["containers"]]
    init = [
        (_container(container, *defaults), container.get("restartPolicy") == "Always")
        for container in spec.get("initContainers", [])
    ]
    each = _compute_usage(
        _together([c.requests for c in main], [(c.requests, sidecar) for c, sidecar in init]),
        _together([c.limits for c in main], [(c.limits, sidecar) for c, sidecar in init]),
    )
    containers = (*main, *(container for container, _ in init))
    memory = [v["emptyDir"] for v in spec.get("volumes", []) if v.get("emptyDir", {}).get("medium") == "Memory"]
    memory_volume = max((parse_quantity(str(volume.get("sizeLimit", 0))) for volume in memory), default=_NONE)
    return Pods(
        peak.count,
        peak.description,
        each,
        containers,
        spec.get("priorityClassName"),
        restricted_violations(spec),
        images(spec),
        memory_volume,
    )


def _container(container: Manifest, default_requests: Usage, default_limits: Usage) -> Container:
    resources = container.get("resources", {})
    limits = _parsed(resources.get("limits", {}))
    # A missing request defaults to the limit, before the defaults of the LimitRange apply.
    requests = {**default_requests, **limits, **_parsed(resources.get("requests", {}))}
    return Container(container["name"], requests, {**default_limits, **limits})


def _parsed(resources: Mapping[str, Any]) -> Usage:
    return {name: parse_quantity(str(quantity)) for name, quantity in resources.items()}


def _together(main: list[Usage], init: list[tuple[Usage, bool]]) -> Usage:
    """The usage of containers together: sidecars keep running, other init containers run one after the other, first."""
    running: Usage = {}
    peak: Usage = {}
    for usage, sidecar in init:
        now = _sum(running, usage)
        peak = _larger(peak, now)
        if sidecar:
            running = now
    for usage in main:
        running = _sum(running, usage)
    return _larger(peak, running)


def _sum(one: Usage, other: Usage) -> Usage:
    return {name: one.get(name, _NONE) + other.get(name, _NONE) for name in [*one, *other]}


def _larger(one: Usage, other: Usage) -> Usage:
    return {name: max(one.get(name, _NONE), other.get(name, _NONE)) for name in [*one, *other]}


def _compute_usage(requests: Usage, limits: Usage) -> Usage:
    """A pod's requests and limits by the keys with which a quota counts them."""
    usage: Usage = {"pods": Decimal(1)}
    for name, value in requests.items():
        usage[f"requests.{name}"] = value
        if "/" not in name:  # a quota counts devices by requests.<name> only
            usage[name] = value
    for name, value in limits.items():
        if "/" not in name:
            usage[f"limits.{name}"] = value
    return usage


def _count_object(manifest: Manifest, counted: Usage) -> None:
    kind, spec = manifest["kind"], manifest.get("spec", {})
    group = manifest["apiVersion"].rpartition("/")[0]
    if kind in {"Pod", "Namespace"}:
        return
    plural = _plural(kind)
    counted[f"count/{plural}.{group}" if group else f"count/{plural}"] += 1
    if kind in _CORE_COUNTS and not group:
        counted[plural] += 1
    if kind == "Service":
        ports = spec.get("ports", [])
        balanced = spec.get("type") == "LoadBalancer"
        node_ports = balanced and spec.get("allocateLoadBalancerNodePorts", True)
        counted["services.loadbalancers"] += balanced
        if spec.get("type") == "NodePort" or node_ports:
            counted["services.nodeports"] += len(ports)
        elif balanced:
            counted["services.nodeports"] += sum("nodePort" in port for port in ports)
    elif kind == "Deployment":
        # Those of the history, the current one, and during a rollout the new one.
        counted["count/replicasets.apps"] += spec.get("revisionHistoryLimit", 10) + 2
    elif kind == "JobSet":
        counted["count/jobs.batch"] += sum(job.get("replicas", 1) for job in spec["replicatedJobs"])
    elif kind == "PersistentVolumeClaim":
        _count_claim(spec, 1, counted)


def _count_claims(template: Manifest, pods: int, counted: Usage) -> None:
    """Ephemeral volumes, which have a claim for each pod."""
    for volume in template["spec"].get("volumes", []):
        if "ephemeral" in volume:
            counted["persistentvolumeclaims"] += pods
            counted["count/persistentvolumeclaims"] += pods
            _count_claim(volume["ephemeral"]["volumeClaimTemplate"]["spec"], pods, counted)


def _count_claim(spec: Manifest, claims: int, counted: Usage) -> None:
    storage = parse_quantity(str(spec["resources"]["requests"]["storage"])) * claims
    counted["requests.storage"] += storage
    if spec.get("storageClassName"):
        by_class = f"{spec['storageClassName']}.storageclass.storage.k8s.io"
        counted[f"{by_class}/requests.storage"] += storage
        counted[f"{by_class}/persistentvolumeclaims"] += claims


def _plural(kind: str) -> str:
    word = kind.lower()
    if word.endswith("y"):
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(("s", "x")) else f"{word}s"
