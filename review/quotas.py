"""The use of the teams' quotas before and after a change."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from components.base.objects import Manifest, UnknownValueError, known_namespace_of, target
from components.base.quantities import parse_quantity
from components.team_namespace.footprint import Footprint, footprint
from components.team_namespace.limit_range import ContainerLimits
from components.team_namespace.resource_quota import ResourceQuota

_ZERO = Decimal(0)


@dataclass(frozen=True)
class QuotaUse:
    """The use of one resource of a ResourceQuota, if all workloads are at their peak, including rollouts."""

    namespace: str
    quota: str
    """The name of the ResourceQuota."""

    key: str
    before: Decimal
    after: Decimal
    hard: Decimal

    @property
    def share(self) -> Decimal:
        """The used share of the quota: 1 is all of it."""
        return self.after / self.hard if self.hard else Decimal(2 if self.after else 0)

    @property
    def exceeded(self) -> bool:
        """Whether the API server would reject pods."""
        return self.after > self.hard


def quota_use(before: Sequence[Manifest], after: Sequence[Manifest]) -> tuple[list[QuotaUse], list[str]]:
    """The use of every quota after a change, and the namespaces whose use depends on unknown values."""
    used_before, used_after = _footprints(before), _footprints(after)
    uses, unknown = [], [namespace for namespace, usage in used_after.items() if usage is None]
    for manifest in after:
        namespace = known_namespace_of(manifest)
        if manifest["kind"] != "ResourceQuota" or namespace is None or namespace in unknown:
            continue
        try:
            uses += _uses(namespace, _quota(manifest), used_before.get(namespace), used_after.get(namespace))
        except UnknownValueError:
            unknown.append(namespace)
    without_namespace = [target(manifest) for manifest in after if known_namespace_of(manifest) is None]
    if without_namespace:  # they may use the quota of any namespace
        unknown.append(f"the namespace of {', '.join(without_namespace)}")
    return uses, unknown


def _uses(namespace: str, quota: ResourceQuota, before: Footprint | None, after: Footprint | None) -> list[QuotaUse]:
    if quota.others:  # it rejects all pods of other priorities, and so has no use
        return []
    return [
        QuotaUse(
            namespace,
            quota.name,
            key,
            _used(key, quota, before),
            _used(key, quota, after),
            parse_quantity(str(hard)),
        )
        for key, hard in quota.hard.items()
    ]


def _footprints(manifests: Sequence[Manifest]) -> dict[str, Footprint | None]:
    """The footprint of each namespace; None if it depends on unknown values."""
    namespaces: dict[str, list[Manifest]] = defaultdict(list)
    for manifest in manifests:
        namespace = known_namespace_of(manifest)
        if manifest["kind"] != "Namespace" and namespace is not None:
            namespaces[namespace].append(manifest)
    found: dict[str, Footprint | None] = {}
    for namespace, objects in namespaces.items():
        try:
            found[namespace] = footprint(objects, _limits(objects))
        except UnknownValueError:
            found[namespace] = None
    return found


def _limits(objects: Iterable[Manifest]) -> ContainerLimits:
    """The defaults that the LimitRange of a namespace sets on containers.

    Not validated: a LimitRange of another origin may have fields that a team of this project cannot set, such as GPUs.
    """
    for manifest in objects:
        for limit in manifest["spec"]["limits"] if manifest["kind"] == "LimitRange" else ():
            if limit["type"] == "Container":
                return ContainerLimits.model_construct(
                    default_request=limit.get("defaultRequest") or {},
                    default=limit.get("default") or {},
                    max=limit.get("max") or {},
                )
    return ContainerLimits()


def _quota(manifest: Manifest) -> ResourceQuota:
    spec = manifest["spec"]
    classes: tuple[str, ...] | None = None
    others = False
    for expression in (spec.get("scopeSelector") or {}).get("matchExpressions", []):
        if expression["scopeName"] == "PriorityClass":
            classes = (*(classes or ()), *expression.get("values", ()))
            others = others or expression["operator"] != "In"
    return ResourceQuota("", str(manifest["metadata"]["name"]), (), spec.get("hard") or {}, classes, others)


def _used(key: str, quota: ResourceQuota, usage: Footprint | None) -> Decimal:
    if usage is None:
        return _ZERO
    objects = usage.objects.get(key, _ZERO) if quota.classes is None else _ZERO
    pods = (p.count * p.each.get(key, _ZERO) for p in usage.pods if quota.counts(p.priority_class))
    return sum(pods, objects)
