"""What a change does to the teams' quotas, and what its GPUs cost."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from components.base.objects import UNKNOWN, WORKLOADS, Manifest, UnknownValueError, namespace, pod_templates, target
from components.base.quantities import parse_quantity
from components.pod.resources import is_gpu
from components.team_namespace.footprint import Footprint, Usage, footprint
from components.team_namespace.limit_range import ContainerLimits
from components.team_namespace.resource_quota import ResourceQuota

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
        place = _place(manifest)
        if manifest["kind"] != "ResourceQuota" or place is None or place in unknown:
            continue
        try:
            uses += _uses(place, _quota(manifest), used_before.get(place), used_after.get(place))
        except UnknownValueError:
            unknown.append(place)
    homeless = [target(manifest) for manifest in after if _place(manifest) is None]
    if homeless:  # they may be in any of the namespaces: whose quota they use cannot be told
        unknown.append(f"the namespace of {', '.join(homeless)}")
    return uses, unknown


def _place(manifest: Manifest) -> str | None:
    """The namespace of an object; None where it is not known yet, as that of an output is not."""
    return None if manifest["metadata"].get("namespace") is UNKNOWN else namespace(manifest)


def _uses(place: str, quota: ResourceQuota, before: Footprint | None, after: Footprint | None) -> list[QuotaUse]:
    if quota.others:  # it is there to refuse the pods of other priorities, and has no use to show
        return []
    return [
        QuotaUse(
            place, quota.name, key, _share(key, quota, before), _share(key, quota, after), parse_quantity(str(hard))
        )
        for key, hard in quota.hard.items()
    ]


def _footprints(manifests: Sequence[Manifest]) -> dict[str, Footprint | None]:
    """What each namespace's objects take; None where that is not known yet."""
    places: dict[str, list[Manifest]] = defaultdict(list)
    for manifest in manifests:
        place = _place(manifest)
        if manifest["kind"] != "Namespace" and place is not None:
            places[place].append(manifest)
    found: dict[str, Footprint | None] = {}
    for place, objects in places.items():
        try:
            found[place] = footprint(objects, _limits(objects))
        except UnknownValueError:
            found[place] = None
    return found


def _limits(objects: Iterable[Manifest]) -> ContainerLimits:
    """What a namespace's LimitRange gives to containers that say nothing.

    Not validated: it may be anybody's, and hold what a team of this project may not say, such as GPUs.
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


def _share(key: str, quota: ResourceQuota, usage: Footprint | None) -> Decimal:
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

    unpriced: Mapping[str, Decimal] = field(default_factory=dict)
    """Workload → its GPUs, where the node pool is not known or names no ``hourlyCost``."""

    uncounted: tuple[str, ...] = ()
    """Workloads whose GPUs are not known before ``up``."""


@dataclass(frozen=True)
class _Workload:
    """One workload's GPUs."""

    training: bool
    gpus: Decimal
    price: Decimal | None
    """USD per GPU-hour."""


Pools = Mapping[str, Mapping[str, Any]]
"""Node pools by name, in YAML's spelling."""


def gpus(before: Sequence[Manifest], after: Sequence[Manifest], earlier: Pools, pools: Pools) -> tuple[Gpus, Gpus]:
    """The GPUs of all workloads before and after a change, at most as many as autoscalers allow.

    Without what rollouts add for a while. Each side has the node pools of its own configuration.

    What is not known on one side is left out on both, since the difference would be that of a workload
    that comes or goes: GPUs that cannot be counted, and the cost of those without a price.
    """
    (one, missing), (other, unknown) = _workloads(before, earlier), _workloads(after, pools)
    uncounted = tuple(sorted(missing | unknown))
    sides = [{name: found for name, found in side.items() if name not in uncounted} for side in (one, other)]
    unpriced = {name for side in sides for name, found in side.items() if found.price is None}
    first, second = (_totals(side, unpriced, uncounted) for side in sides)
    return first, second


def _totals(workloads: Mapping[str, _Workload], unpriced: set[str], uncounted: tuple[str, ...]) -> Gpus:
    serving, training, serving_cost, training_cost = (_NONE,) * 4
    for name, found in workloads.items():
        cost = _NONE if found.price is None or name in unpriced else found.gpus * found.price
        if found.training:
            training, training_cost = training + found.gpus, training_cost + cost
        else:
            serving, serving_cost = serving + found.gpus, serving_cost + cost
    without = {name: found.gpus for name, found in workloads.items() if found.price is None}
    return Gpus(serving, training, serving_cost, training_cost, without, uncounted)


def _workloads(manifests: Sequence[Manifest], pools: Pools) -> tuple[dict[str, _Workload], set[str]]:
    """The workloads that have GPUs, and those of which that is not known."""
    found: dict[str, _Workload] = {}
    unknown: set[str] = set()
    scalers = [manifest for manifest in manifests if manifest["kind"] in {"HorizontalPodAutoscaler", "ScaledObject"}]
    for manifest in manifests:
        if manifest["kind"] not in WORKLOADS:
            continue
        try:
            steady = {**manifest, "spec": {**manifest["spec"], "strategy": {"type": "Recreate"}}}
            own = [scaler for scaler in scalers if _place(scaler) == _place(manifest)]
            usage = footprint([steady, *own], ContainerLimits())
            count = sum((pods.count * sum(_gpus(pods.each).values(), _NONE) for pods in usage.pods), _NONE)
            if count:
                training = manifest["kind"] in {"Job", "JobSet", "CronJob", "Pod"}
                price = _price(pod_templates(manifest)[0]["spec"], _gpus(usage.pods[0].each), pools)
                found[target(manifest)] = _Workload(training, count, price)
        except UnknownValueError:
            if _may_have_gpus(manifest):
                unknown.add(target(manifest))
    return found, unknown


def _may_have_gpus(manifest: Manifest) -> bool:
    """Whether a pod of a workload asks for GPUs, or may do."""
    try:
        pods = [
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": ""}, "spec": template["spec"]}
            for template in pod_templates(manifest)
        ]
        return any(_gpus(one.each) for one in footprint(pods, ContainerLimits()).pods)
    except UnknownValueError:
        return True


def _gpus(usage: Usage) -> Usage:
    """The GPUs that a pod asks for, by what its nodes call them."""
    named = ((key.removeprefix("requests."), value) for key, value in usage.items() if key.startswith("requests."))
    return {name: value for name, value in named if is_gpu(name) and value}


def _price(spec: Manifest, asked: Usage, pools: Pools) -> Decimal | None:
    """USD per GPU-hour on the pool that a pod selects: that of the most labels, where it selects those of several."""
    selector = (spec.get("nodeSelector") or {}).items()
    fitting = [p for p in pools.values() if p["gpuResource"] in asked and p["nodeSelector"].items() <= selector]
    if not fitting:
        return None
    cost = max(fitting, key=lambda pool: len(pool["nodeSelector"]))["hourlyCost"]
    return None if cost is None else Decimal(cost)
