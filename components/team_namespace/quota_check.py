"""Checks workloads against the constraints of their namespace, before deployment and without a cluster.

The workloads of a namespace are summed, each at its peak, and compared with the quotas.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import get_args

from pydantic_core import PydanticCustomError

from ..base.error_table import (
    CONTAINER_LIMIT_EXCEEDED,
    DEFAULT_LIMIT_EXCEEDED,
    EXCEEDS,
    MEMORY_VOLUME_TOO_LARGE,
    POD_SECURITY_VIOLATED,
    PRIORITY_CLASS_NOT_ALLOWED,
    QUOTA_EXCEEDED,
    REGISTRY_NOT_ALLOWED,
    RESOURCES_MISSING,
    SERVING_NOT_ALLOWED,
)
from ..base.errors import Problem
from ..base.quantities import format_quantity, parse_quantity
from ..pod.security import PodSecurityLevel
from .footprint import Container, Footprint, Pods
from .image_registries import allowed
from .limit_range import ContainerLimits
from .resource_quota import ResourceQuota

_STRICTNESS = get_args(PodSecurityLevel)

# A ResourceQuota that counts one of these rejects pods with a container that does not set it.
_REQUIRED = {"cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"}


@dataclass(frozen=True)
class QuotaProblem:
    """A conflict with the constraints of a namespace, which the API server would reject."""

    problem: Problem
    """At the path of an argument: of the workload if there is one, else of the team."""

    workload: str | None = None


@dataclass(frozen=True)
class NamespaceConstraints:
    """The constraints that a namespace enforces on its pods and objects."""

    quotas: Sequence[ResourceQuota]
    limits: ContainerLimits
    pod_security: PodSecurityLevel = "privileged"
    registries: Sequence[str] = ()
    """The allowed sources of images; empty: all."""


def quota_problems(constraints: NamespaceConstraints, workloads: Mapping[str, Footprint]) -> Iterator[QuotaProblem]:
    """All conflicts of the workloads of a namespace: sums that exceed a quota, and pods that are never admitted."""
    reported = set()
    for quota in constraints.quotas:
        for key, hard in quota.hard.items() if not quota.others else ():
            shares = {name: _share(key, quota, workload) for name, workload in workloads.items()}
            total = sum((share for share, _ in shares.values()), Decimal(0))
            if total > parse_quantity(hard):
                problem = _exceeded(quota, key, total, {name: share for name, share in shares.items() if share[0]})
                if problem.path not in reported:  # a load balancer allocates node ports too: one problem, not two
                    reported.add(problem.path)
                    yield QuotaProblem(problem)
    for name, workload in workloads.items():
        for problem in _admission_problems(constraints, workload):
            yield QuotaProblem(problem, name)


class QuotaUsage:
    """The usage of a namespace's quotas by the workloads that are registered so far."""

    def __init__(self, constraints: NamespaceConstraints) -> None:
        self.constraints = constraints
        self._workloads: dict[str, Footprint] = {}
        # Kept, so that the cost of a workload does not grow with the number of workloads.
        self._totals = [dict.fromkeys(quota.hard, Decimal(0)) for quota in constraints.quotas]

    def reserve(self, workload: str, footprint: Footprint) -> list[QuotaProblem]:
        """Add a workload. If it conflicts with the constraints, it is not added, and its problems are returned."""
        totals = [
            {key: total + _share(key, quota, footprint)[0] for key, total in known.items()}
            for quota, known in zip(self.constraints.quotas, self._totals, strict=True)
        ]
        exceeded = any(
            total > parse_quantity(quota.hard[key])
            for quota, known in zip(self.constraints.quotas, totals, strict=True)
            for key, total in known.items()
        )
        if exceeded or any(_admission_problems(self.constraints, footprint)):
            return list(quota_problems(self.constraints, {**self._workloads, workload: footprint}))
        self._workloads[workload], self._totals = footprint, totals
        return []


def _admission_problems(constraints: NamespaceConstraints, footprint: Footprint) -> Iterator[Problem]:
    """Pods of a workload that the namespace would reject or kill, whatever else runs in it."""
    for pods in footprint.pods:
        counting = [quota for quota in constraints.quotas if quota.counts(pods.priority_class)]
        if any(quota.others for quota in counting):
            yield PRIORITY_CLASS_NOT_ALLOWED.problem(("priorityClass",), name=pods.priority_class)
        required = {key for quota in counting for key in quota.hard if key in _REQUIRED}
        for container in pods.containers:
            yield from _container_problems(container, required, constraints.limits)
        for violation, level in pods.restricted_violations.items():
            if _STRICTNESS.index(level) < _STRICTNESS.index(constraints.pod_security):
                yield POD_SECURITY_VIOLATED.problem(
                    ("security",), reason=violation, level=constraints.pod_security, needed=level
                )
        for image in sorted(pods.images):
            if not allowed(image, constraints.registries):
                yield REGISTRY_NOT_ALLOWED.problem(("image",), image=image, registries=list(constraints.registries))
        largest = max(container.limits.get("memory", pods.memory_volume) for container in pods.containers)
        if pods.memory_volume > largest:
            size, limit = (format_quantity(value, "memory") for value in (pods.memory_volume, largest))
            yield MEMORY_VOLUME_TOO_LARGE.problem(("resources",), size=size, limit=limit)


def _share(key: str, quota: ResourceQuota, workload: Footprint) -> tuple[Decimal, str]:
    """How much a workload uses of one key, and the calculation in words."""
    counted = [
        (pods, pods.count * pods.each[key])
        for pods in workload.pods
        if key in pods.each and quota.counts(pods.priority_class)
    ]
    objects = workload.objects.get(key, Decimal(0)) if quota.classes is None else Decimal(0)
    total = sum((value for _, value in counted), objects)
    return total, "; ".join(_calculation(key, pods) for pods, value in counted if value)


def _calculation(key: str, pods: Pods) -> str:
    return pods.description if key == "pods" else f"{pods.description}, {format_quantity(pods.each[key], key)} each"


def _exceeded(quota: ResourceQuota, key: str, total: Decimal, shares: Mapping[str, tuple[Decimal, str]]) -> Problem:
    by_size = sorted(shares.items(), key=lambda item: -item[1][0])
    listed = ", ".join(
        f"{name} {format_quantity(share, key)}" + (f" ({calculation})" if calculation else "")
        for name, (share, calculation) in by_size
    )
    needed = format_quantity(total, key)
    if key in quota.closed:
        return SERVING_NOT_ALLOWED.problem(("serves",), total=needed, resource=key, shares=listed, value=True)
    path = (*quota.path, key)
    return QUOTA_EXCEEDED.problem(path, total=needed, resource=key, hard=quota.hard[key], shares=listed, value=needed)


def _container_problems(container: Container, required: set[str], limits: ContainerLimits) -> Iterator[Problem]:
    """Why the API server would reject a pod with this container."""
    path = ("resources",)
    missing = sorted(required - container.quota_keys())
    if missing:
        yield RESOURCES_MISSING.problem(path, container=container.name, missing=missing)
    for name, maximum in limits.max.items():
        if container.limits[name] > parse_quantity(maximum):
            limit = format_quantity(container.limits[name], name)
            yield CONTAINER_LIMIT_EXCEEDED.problem(
                path, container=container.name, limit=limit, resource=name, maximum=maximum
            )
    for name, limit in limits.filled().default.items():
        if container.requests[name] > container.limits[name]:
            request = format_quantity(container.requests[name], name)
            yield DEFAULT_LIMIT_EXCEEDED.problem(
                path, container=container.name, request=request, resource=name, limit=limit
            )


def limits_above_quota(
    hard: Mapping[str, str], limits: ContainerLimits
) -> Iterator[tuple[tuple[str, ...], PydanticCustomError]]:
    """Container limits that exceed the quota of the whole team, so that no such container would be admitted."""
    filled = limits.filled()
    for part, resources, sections in (
        ("defaultRequest", filled.default_request, ("", "requests.")),
        ("default", filled.default, ("limits.",)),
        ("max", filled.max, ("limits.",)),
    ):
        for name, quantity in resources.items():
            for key in (f"{section}{name}" for section in sections):
                if key in hard and parse_quantity(quantity) > parse_quantity(hard[key]):
                    error = EXCEEDS(given=quantity, bound=f"the quota's {key}", limit=hard[key], value=hard[key])
                    yield ("containerLimits", part, name), error
