"""What a change does to the teams' quotas, and what its GPUs cost."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from components.footprint import Footprint, Usage, footprint
from components.quantities import amount
from components.quota import ContainerLimits, Quota
from components.resources import is_gpu
from policies.rule import WORKLOADS, UnknownValueError, namespace, pod_templates
from review.preview import Manifest

HOURS_PER_MONTH = 730
_NONE = Decimal(0)


@dataclass(frozen=True)
class QuotaUse:
    """What the workloads of a namespace take of one key of a quota, all at their peak, rollouts included."""

    namespace: str
    quota: str
    """The ResourceQuota's name."""

    key: str
    before: Decimal
    after: Decimal
    hard: Decimal

    @property
    def share(self) -> Decimal:
        """How much of the quota would be in use: 1 is all of it."""
        return self.after / self.hard if self.hard else Decimal(2 if self.after else 0)

    @property
    def exceeded(self) -> bool:
        """Whether pods would be refused."""
        return self.after > self.hard


def quota_use(before: Sequence[Manifest], after: Sequence[Manifest]) -> tuple[list[QuotaUse], list[str]]:
    """The use of every quota that there would be, and the namespaces where values are missing to know it."""
    used_before, used_after = _footprints(before), _footprints(after)
    uses, unknown = [], [place for place, usage in used_after.items() if usage is None]
    for manifest in after:
        if manifest["kind"] != "ResourceQuota" or namespace(manifest) in unknown:
            continue
        place = namespace(manifest)
        try:
            uses += _uses(place, _quota(manifest), used_before.get(place), used_after.get(place))
        except UnknownValueError:
            unknown.append(place)
    return uses, unknown


def _uses(place: str, quota: Quota, before: Footprint | None, after: Footprint | None) -> list[QuotaUse]:
    if quota.others:  # it is there to refuse the pods of other priorities, and has no use to show
        return []
    return [
        QuotaUse(place, quota.name, key, _share(key, quota, before), _share(key, quota, after), amount(str(hard)))
        for key, hard in quota.hard.items()
    ]


def _footprints(manifests: Sequence[Manifest]) -> dict[str, Footprint | None]:
    """What each namespace's objects take; None where that is not known yet."""
    places: dict[str, list[Manifest]] = defaultdict(list)
    for manifest in manifests:
        if manifest["kind"] != "Namespace":
            places[namespace(manifest)].append(manifest)
    found: dict[str, Footprint | None] = {}
    for place, objects in places.items():
        try:
            found[place] = footprint(objects, _limits(objects))
        except UnknownValueError:
            found[place] = None
    return found


def _limits(objects: Iterable[Manifest]) -> ContainerLimits:
    """What a namespace's LimitRange gives to containers that say nothing."""
    for manifest in objects:
        for limit in manifest["spec"]["limits"] if manifest["kind"] == "LimitRange" else ():
            if limit["type"] == "Container":
                parts = {"default_request": "defaultRequest", "default": "default", "max": "max"}
                return ContainerLimits(**{part: limit.get(key, {}) for part, key in parts.items()})
    return ContainerLimits()


def _quota(manifest: Manifest) -> Quota:
    spec = manifest["spec"]
    classes: tuple[str, ...] | None = None
    others = False
    for expression in (spec.get("scopeSelector") or {}).get("matchExpressions", []):
        if expression["scopeName"] == "PriorityClass":
            classes = (*(classes or ()), *expression.get("values", ()))
            others = others or expression["operator"] != "In"
    return Quota("", manifest["metadata"]["name"], (), spec.get("hard") or {}, classes, others)


def _share(key: str, quota: Quota, usage: Footprint | None) -> Decimal:
    if usage is None:
        return _NONE
    objects = usage.objects.get(key, _NONE) if quota.classes is None else _NONE
    pods = (p.count * p.each.get(key, _NONE) for p in usage.pods if quota.counts(p.priority_class))
    return sum(pods, objects)


@dataclass(frozen=True)
class Gpus:
    """The GPUs of the stack, and what they cost."""

    serving: Decimal = _NONE
    """Of workloads that run all the time."""

    training: Decimal = _NONE
    """Of jobs, while they run."""

    serving_cost: Decimal = _NONE
    """USD per hour."""

    training_cost: Decimal = _NONE
    """USD per hour, while they run."""

    unpriced: Decimal = _NONE
    """GPUs whose node pool names no ``hourlyCost``."""


def gpus(manifests: Sequence[Manifest], pools: Mapping[str, Mapping[str, Any]]) -> Gpus:
    """The GPUs of all workloads, at most as many as autoscalers allow, without what rollouts add for a while."""
    totals: dict[str, Decimal] = defaultdict(Decimal)
    scalers = [manifest for manifest in manifests if manifest["kind"] in {"HorizontalPodAutoscaler", "ScaledObject"}]
    for manifest in manifests:
        if manifest["kind"] not in WORKLOADS:
            continue
        try:
            steady = {**manifest, "spec": {**manifest["spec"], "strategy": {"type": "Recreate"}}}
            own = [scaler for scaler in scalers if namespace(scaler) == namespace(manifest)]
            usage = footprint([steady, *own], ContainerLimits())
            price = _price(pod_templates(manifest)[0]["spec"], pools)
        except UnknownValueError:
            continue
        count = sum((pods.count * _gpus(pods.each) for pods in usage.pods), _NONE)
        sort = "training" if manifest["kind"] in {"Job", "JobSet", "CronJob", "Pod"} else "serving"
        totals[sort] += count
        if price is None:
            totals["unpriced"] += count
        else:
            totals[f"{sort}_cost"] += count * price
    return Gpus(**totals)


def _gpus(usage: Usage) -> Decimal:
    """The GPUs that a pod asks for, whatever its nodes call them."""
    named = ((key.removeprefix("requests."), value) for key, value in usage.items() if key.startswith("requests."))
    return sum((value for name, value in named if is_gpu(name)), _NONE)


def _price(spec: Manifest, pools: Mapping[str, Mapping[str, Any]]) -> Decimal | None:
    """USD per GPU-hour on the pool that a pod selects."""
    selector = spec.get("nodeSelector") or {}
    for pool in pools.values():
        if pool["gpuResource"] and pool["nodeSelector"].items() <= selector.items():
            return None if pool["hourlyCost"] is None else Decimal(pool["hourlyCost"])
    return None
