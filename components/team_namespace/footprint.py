"""What a workload costs a quota at its peak, computed from its manifests alone.

The rules are those of Kubernetes' own quota evaluators and of the LimitRanger, which fills in what
containers leave out before the quota is asked.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ..base.objects import Manifest, int_or_percent
from ..base.quantities import parse_quantity
from ..pod.security import Standard, opt_outs
from .image_registries import images
from .limit_range import ContainerLimits

Usage = dict[str, Decimal]
"""Quota key → how much."""

_NONE = Decimal(0)
# Kubernetes' own default of a Job's backoffLimit.
_BACKOFF_LIMIT = 6
# KEDA's own default of maxReplicaCount.
_KEDA_MAXIMUM = 100
_CORE_COUNTS = {"ConfigMap", "PersistentVolumeClaim", "ReplicationController", "ResourceQuota", "Secret", "Service"}


@dataclass(frozen=True)
class Container:
    """A container as the API server admits it."""

    name: str
    requests: Usage
    limits: Usage

    def named(self) -> set[str]:
        """The quota keys that it names a value for."""
        return {
            *self.requests,
            *(f"requests.{name}" for name in self.requests),
            *(f"limits.{name}" for name in self.limits),
        }


@dataclass(frozen=True)
class Pods:
    """Pods of one kind that exist at the same time."""

    count: int
    how: str
    """Where the number comes from."""

    each: Usage
    """What one of them costs."""

    containers: tuple[Container, ...]
    priority_class: str | None
    opt_outs: Mapping[str, Standard]
    """What in them Pod Security ``restricted`` refuses."""

    images: frozenset[str]
    in_memory: Decimal
    """Bytes of the largest volume in memory, which counts as the memory of the container that fills it."""


@dataclass
class Footprint:
    """What a workload costs at its peak."""

    pods: list[Pods] = field(default_factory=list)
    objects: Usage = field(default_factory=dict)
    """Objects by count, and the storage and ports that they take."""


def footprint(manifests: Iterable[Manifest], limits: ContainerLimits) -> Footprint:
    """The footprint of the objects of one workload, in a namespace with these container limits."""
    objects = list(manifests)
    filled = limits.filled()
    defaults = _amounts(filled.default_request), _amounts(filled.default)
    maxima = dict(filter(None, map(_autoscaled, objects)))
    result = Footprint()
    counted: Usage = defaultdict(Decimal)
    for manifest in objects:
        _count_object(manifest, counted)
        maximum = maxima.get((manifest["kind"], manifest["metadata"]["name"]))
        for count, how, total, template in _peaks(manifest, maximum):
            pods = _pods(template, count, how, defaults)
            result.pods.append(pods)
            counted["count/pods"] += total
            _count_claims(template, count, counted)
    result.objects = {key: value for key, value in counted.items() if value}
    return result


def _autoscaled(manifest: Manifest) -> tuple[tuple[str, str], int] | None:
    """What an autoscaler scales, and up to where."""
    if manifest["kind"] not in {"HorizontalPodAutoscaler", "ScaledObject"}:
        return None
    spec = manifest["spec"]
    target = spec["scaleTargetRef"]
    maximum = spec["maxReplicas"] if "maxReplicas" in spec else spec.get("maxReplicaCount", _KEDA_MAXIMUM)
    return (target.get("kind", "Deployment"), target["name"]), maximum


def _peaks(manifest: Manifest, maximum: int | None) -> list[tuple[int, str, int, Manifest]]:
    """The pods that an object has at once, at most: how many, why, how many it leaves behind, and their template."""
    kind, spec = manifest["kind"], manifest.get("spec", {})
    if kind == "Pod":
        return [(1, "1 pod", 1, manifest)]
    if kind == "Deployment":
        replicas = spec.get("replicas", 1) if maximum is None else maximum
        surge = _surge(spec.get("strategy", {}), replicas)
        how = f"{replicas} {'at most' if maximum is not None else 'replicas' if replicas != 1 else 'replica'}"
        how += f" and {surge} during a rollout" if surge else ""
        return [(replicas + surge, how, replicas + surge, spec["template"])]
    if kind == "StatefulSet":
        replicas = spec.get("replicas", 1) if maximum is None else maximum
        return [(replicas, f"{replicas} replicas", replicas, spec["template"])]
    if kind == "Job":
        return [_job(spec, 1)]
    if kind == "CronJob":
        return [_job(spec["jobTemplate"]["spec"], 1)]
    if kind == "JobSet":
        return [_job(job["template"]["spec"], job.get("replicas", 1)) for job in spec["replicatedJobs"]]
    return []


def _job(spec: Manifest, jobs: int) -> tuple[int, str, int, Manifest]:
    parallel = spec.get("parallelism", 1)
    completions = spec.get("completions")
    at_once = parallel if completions is None else min(parallel, completions)
    how = f"{at_once} at once" if jobs == 1 else f"{jobs} jobs with {at_once} at once"
    # Pods that have ended stay, and count as objects, as long as their Job does; so do those that failed.
    ended = max(at_once, completions or 0)
    if spec["template"]["spec"].get("restartPolicy") == "Never":
        each = spec.get("backoffLimitPerIndex")
        ended += spec.get("backoffLimit", _BACKOFF_LIMIT) if each is None else each * ended
    return jobs * at_once, how, jobs * ended, spec["template"]


def _surge(strategy: Manifest, replicas: int) -> int:
    """How many pods a rollout adds to the replicas."""
    if strategy.get("type", "RollingUpdate") == "Recreate":
        return 0
    return int_or_percent(strategy.get("rollingUpdate", {}).get("maxSurge", "25%"), replicas, round_up=True)


def _pods(template: Manifest, count: int, how: str, defaults: tuple[Usage, Usage]) -> Pods:
    spec = template["spec"]
    main = [_container(container, *defaults) for container in spec["containers"]]
    init = [
        (_container(container, *defaults), container.get("restartPolicy") == "Always")
        for container in spec.get("initContainers", [])
    ]
    each = _of_compute(
        _together([c.requests for c in main], [(c.requests, sidecar) for c, sidecar in init]),
        _together([c.limits for c in main], [(c.limits, sidecar) for c, sidecar in init]),
    )
    containers = (*main, *(container for container, _ in init))
    memory = [v["emptyDir"] for v in spec.get("volumes", []) if v.get("emptyDir", {}).get("medium") == "Memory"]
    in_memory = max((parse_quantity(str(volume.get("sizeLimit", 0))) for volume in memory), default=_NONE)
    return Pods(count, how, each, containers, spec.get("priorityClassName"), opt_outs(spec), images(spec), in_memory)


def _container(container: Manifest, default_requests: Usage, default_limits: Usage) -> Container:
    resources = container.get("resources", {})
    limits = _amounts(resources.get("limits", {}))
    # Kubernetes takes a limit for the request that is missing, before the LimitRange is asked.
    requests = {**default_requests, **limits, **_amounts(resources.get("requests", {}))}
    return Container(container["name"], requests, {**default_limits, **limits})


def _amounts(resources: Mapping[str, Any]) -> Usage:
    return {name: parse_quantity(str(quantity)) for name, quantity in resources.items()}


def _together(main: list[Usage], init: list[tuple[Usage, bool]]) -> Usage:
    """What containers take together: sidecars stay, other init containers run one at a time before the main ones."""
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


def _of_compute(requests: Usage, limits: Usage) -> Usage:
    """A pod's requests and limits under the keys by which a quota counts them."""
    usage: Usage = {"pods": Decimal(1)}
    for name, value in requests.items():
        usage[f"requests.{name}"] = value
        if "/" not in name:  # devices are counted by requests.<name> alone
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
        asked = balanced and spec.get("allocateLoadBalancerNodePorts", True)
        counted["services.loadbalancers"] += balanced
        if spec.get("type") == "NodePort" or asked:
            counted["services.nodeports"] += len(ports)
        elif balanced:
            counted["services.nodeports"] += sum("nodePort" in port for port in ports)
    elif kind == "Deployment":
        # Those of earlier versions are kept for a rollback, and one is new during a rollout.
        counted["count/replicasets.apps"] += spec.get("revisionHistoryLimit", 10) + 2
    elif kind == "JobSet":
        counted["count/jobs.batch"] += sum(job.get("replicas", 1) for job in spec["replicatedJobs"])
    elif kind == "PersistentVolumeClaim":
        _count_claim(spec, 1, counted)


def _count_claims(template: Manifest, pods: int, counted: Usage) -> None:
    """Volumes that are made, with their claim, for each pod."""
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
