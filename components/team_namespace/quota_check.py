"""Whether a team's quota holds its workloads, all at their peak at once: no cluster is needed to know."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, get_args

from ..base.quantities import format_quantity, parse_quantity
from ..pod.security import Standard
from .footprint import Container, Footprint, Pods
from .image_registries import allowed
from .limit_range import ContainerLimits
from .resource_quota import Quota

_STRICTNESS = get_args(Standard)

# Kubernetes wants these of every container where a quota counts them.
_REQUIRED = {"cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"}


@dataclass(frozen=True)
class Shortfall:
    """Something that the API server would refuse later."""

    path: tuple[str, ...]
    """The argument at fault, of the team or, where one is named, of the workload."""

    what: str
    fix: str | None = None
    value: Any = None
    workload: str | None = None


@dataclass(frozen=True)
class Terms:
    """What a namespace holds its pods to."""

    quotas: Sequence[Quota]
    limits: ContainerLimits
    pod_security: Standard = "privileged"
    registries: Sequence[str] = ()
    """Where images may come from; none: anywhere."""


def shortfalls(terms: Terms, workloads: Mapping[str, Footprint]) -> Iterable[Shortfall]:
    """All that does not fit: sums above a quota, and pods that no sum would make fit."""
    told = set()
    for quota in terms.quotas:
        for key, hard in quota.hard.items() if not quota.others else ():
            shares = {name: _share(key, quota, workload) for name, workload in workloads.items()}
            total = sum((share for share, _ in shares.values()), Decimal(0))
            if total > parse_quantity(hard):
                short = _exceeded(quota, key, total, {name: share for name, share in shares.items() if share[0]})
                if short.path not in told:  # a load balancer has node ports too: one mistake, one message
                    told.add(short.path)
                    yield short
    for name, workload in workloads.items():
        yield from _refused_pods(terms, name, workload)


class Capacity:
    """What a team has, and what its workloads have taken of it so far."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self._workloads: dict[str, Footprint] = {}
        # Kept, so that the thousandth workload takes no longer to count than the first.
        self._totals = [dict.fromkeys(quota.hard, Decimal(0)) for quota in terms.quotas]

    def add(self, workload: str, footprint: Footprint) -> list[Shortfall]:
        """Count a workload in; where something does not fit it is not counted, and said."""
        totals = [
            {key: total + _share(key, quota, footprint)[0] for key, total in known.items()}
            for quota, known in zip(self.terms.quotas, self._totals, strict=True)
        ]
        exceeded = any(
            total > parse_quantity(quota.hard[key])
            for quota, known in zip(self.terms.quotas, totals, strict=True)
            for key, total in known.items()
        )
        if exceeded or any(_refused_pods(self.terms, workload, footprint)):
            return list(shortfalls(self.terms, {**self._workloads, workload: footprint}))
        self._workloads[workload], self._totals = footprint, totals
        return []


def _refused_pods(terms: Terms, workload: str, footprint: Footprint) -> Iterable[Shortfall]:
    """Pods that the API server would refuse, or that could not live, whatever else there is."""
    for pods in footprint.pods:
        counting = [quota for quota in terms.quotas if quota.counts(pods.priority_class)]
        if any(quota.others for quota in counting):
            what = f"the team may not use the PriorityClass {pods.priority_class}"
            fix = f"give the team priorityQuotas.{pods.priority_class}, or remove it"
            yield Shortfall(("priorityClass",), what, fix, workload=workload)
        required = {key for quota in counting for key in quota.hard if key in _REQUIRED}
        for container in pods.containers:
            yield from _refused(workload, container, required, terms.limits)
        for what, standard in pods.opt_outs.items():
            if _STRICTNESS.index(standard) < _STRICTNESS.index(terms.pod_security):
                what = f"{what}, which Pod Security {terms.pod_security} refuses"
                fix = f"remove it, or set the team's podSecurity to {standard}"
                yield Shortfall(("security",), what, fix, workload=workload)
        for image in sorted(pods.images):
            if not allowed(image, terms.registries):
                what = f"{image} comes from none of the team's registries: {', '.join(terms.registries)}"
                fix = "take it from there, or add its place to the team's registries"
                yield Shortfall(("image",), what, fix, workload=workload)
        largest = max(container.limits.get("memory", pods.in_memory) for container in pods.containers)
        if pods.in_memory > largest:
            what = (
                f"{format_quantity(pods.in_memory, 'memory')} of memory used as a disk counts as a container's own, and "
                f"a container that names no limit gets {format_quantity(largest, 'memory')} by the team's containerLimits"
            )
            yield Shortfall(("resources",), what, "set resources.limits.memory", workload=workload)


def _share(key: str, quota: Quota, workload: Footprint) -> tuple[Decimal, str]:
    """What a workload takes of one key, and how it comes about."""
    counted = [
        (pods, pods.count * pods.each[key])
        for pods in workload.pods
        if key in pods.each and quota.counts(pods.priority_class)
    ]
    objects = workload.objects.get(key, Decimal(0)) if quota.classes is None else Decimal(0)
    total = sum((value for _, value in counted), objects)
    return total, "; ".join(_how(key, pods) for pods, value in counted if value)


def _how(key: str, pods: Pods) -> str:
    return pods.how if key == "pods" else f"{pods.how}, {format_quantity(pods.each[key], key)} each"


def _exceeded(quota: Quota, key: str, total: Decimal, shares: Mapping[str, tuple[Decimal, str]]) -> Shortfall:
    told = [
        f"{name} {format_quantity(share, key)}" + (f" ({how})" if how else "")
        for name, (share, how) in sorted(shares.items(), key=lambda item: -item[1][0])
    ]
    hard = quota.hard[key]
    what = f"{format_quantity(total, key)} of {key} would be in use, and the quota is {hard}: {', '.join(told)}"
    if key in quota.closed:
        fix = "set serves: true for a team that is reached from outside the cluster, or use the type ClusterIP"
        return Shortfall(("serves",), what, fix)
    return Shortfall((*quota.path, key), what, value=format_quantity(total, key))


def _refused(workload: str, container: Container, required: set[str], limits: ContainerLimits) -> Iterable[Shortfall]:
    """Why the API server would refuse a pod with this container."""
    missing = sorted(required - container.named())
    if missing:
        what = f"container {container.name} names no {', '.join(missing)}, and the team's quota counts it"
        yield Shortfall(("resources",), what, "set it, or the team's containerLimits.default", workload=workload)
    for name, maximum in limits.max.items():
        if container.limits[name] > parse_quantity(maximum):
            limit = format_quantity(container.limits[name], name)
            what = f"{limit} of {name} for container {container.name} is above the team's maximum of {maximum}"
            yield Shortfall(
                ("resources",), what, "lower it, or raise the team's containerLimits.max", workload=workload
            )
    for name, limit in limits.filled().default.items():
        if container.requests[name] > container.limits[name]:
            request = format_quantity(container.requests[name], name)
            what = f"container {container.name} asks for {request} of {name} without a limit, and gets one of {limit}"
            fix = f"set resources.limits.{name}, or raise the team's containerLimits.default.{name}"
            yield Shortfall(("resources",), what, fix, workload=workload)


def unusable(hard: Mapping[str, str], limits: ContainerLimits) -> Iterable[Shortfall]:
    """Container limits that the quota of the whole team does not reach."""
    filled = limits.filled()
    for part, resources, sections in (
        ("defaultRequest", filled.default_request, ("", "requests.")),
        ("default", filled.default, ("limits.",)),
        ("max", filled.max, ("limits.",)),
    ):
        for name, quantity in resources.items():
            for key in (f"{section}{name}" for section in sections):
                if key in hard and parse_quantity(quantity) > parse_quantity(hard[key]):
                    what = f"{quantity} is above the quota's {key} of {hard[key]}: no such container would be admitted"
                    yield Shortfall(("containerLimits", part, name), what, value=hard[key])
