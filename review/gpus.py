"""The GPUs of a stack before and after a change, and their cost."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter, ValidationError

from components.base.objects import (
    WORKLOADS,
    Manifest,
    UnknownValueError,
    known_namespace_of,
    pod_templates,
    target,
)
from components.pod.resources import is_gpu
from components.team_namespace.footprint import Usage, footprint
from components.team_namespace.limit_range import ContainerLimits
from config.settings import NodePoolSettings

HOURS_PER_MONTH = 730
_ZERO = Decimal(0)
_NODE_POOLS_KEY = "ml-platform:nodePools"
_NODE_POOLS = TypeAdapter(dict[str, NodePoolSettings])

NodePools = Mapping[str, Mapping[str, Any]]
"""Node pools by name, in the spelling of YAML."""


@dataclass(frozen=True)
class Gpus:
    """The GPUs of a stack and their cost."""

    serving: Decimal = _ZERO
    """Of workloads that run continuously."""

    training: Decimal = _ZERO
    """Of jobs, while they run."""

    serving_cost: Decimal = _ZERO
    """USD per hour."""

    training_cost: Decimal = _ZERO
    """USD per hour, while the jobs run."""

    unpriced: Mapping[str, Decimal] = field(default_factory=dict)
    """Workload → its GPUs, if no node pool that it selects sets ``hourlyCost``."""

    unknown: tuple[str, ...] = ()
    """Workloads whose number of GPUs is unknown before the update."""


@dataclass(frozen=True)
class _Workload:
    training: bool
    gpus: Decimal
    price: Decimal | None
    """USD per GPU-hour."""


def gpus(
    before: Sequence[Manifest], after: Sequence[Manifest], pools_before: NodePools, pools_after: NodePools
) -> tuple[Gpus, Gpus]:
    """The GPUs of all workloads before and after a change: the maximum of autoscalers, without surges of rollouts.

    A workload whose number of GPUs is unknown on one side is excluded from both, and so is the cost of one without a
    price: otherwise the difference would look like that of a workload that is added or removed.
    """
    (one, one_unknown), (other, other_unknown) = _workloads(before, pools_before), _workloads(after, pools_after)
    unknown = tuple(sorted(one_unknown | other_unknown))
    sides = [{name: found for name, found in side.items() if name not in unknown} for side in (one, other)]
    unpriced = {name for side in sides for name, found in side.items() if found.price is None}
    first, second = (_totals(side, unpriced, unknown) for side in sides)
    return first, second


def _totals(workloads: Mapping[str, _Workload], unpriced: set[str], unknown: tuple[str, ...]) -> Gpus:
    serving, training, serving_cost, training_cost = (_ZERO,) * 4
    for name, found in workloads.items():
        cost = _ZERO if found.price is None or name in unpriced else found.gpus * found.price
        if found.training:
            training, training_cost = training + found.gpus, training_cost + cost
        else:
            serving, serving_cost = serving + found.gpus, serving_cost + cost
    without_price = {name: found.gpus for name, found in workloads.items() if found.price is None}
    return Gpus(serving, training, serving_cost, training_cost, without_price, unknown)


def _workloads(manifests: Sequence[Manifest], pools: NodePools) -> tuple[dict[str, _Workload], set[str]]:
    """The workloads with GPUs, and those whose number of GPUs is unknown."""
    found: dict[str, _Workload] = {}
    unknown: set[str] = set()
    autoscalers = [
        manifest for manifest in manifests if manifest["kind"] in {"HorizontalPodAutoscaler", "ScaledObject"}
    ]
    for manifest in manifests:
        if manifest["kind"] not in WORKLOADS:
            continue
        try:
            without_surge = {**manifest, "spec": {**manifest["spec"], "strategy": {"type": "Recreate"}}}
            namespace = known_namespace_of(manifest)
            own = [autoscaler for autoscaler in autoscalers if known_namespace_of(autoscaler) == namespace]
            usage = footprint([without_surge, *own], ContainerLimits())
            count = sum((pods.count * sum(_gpus(pods.each).values(), _ZERO) for pods in usage.pods), _ZERO)
            if count:
                training = manifest["kind"] in {"Job", "JobSet", "CronJob", "Pod"}
                price = _price(pod_templates(manifest)[0]["spec"], _gpus(usage.pods[0].each), pools)
                found[target(manifest)] = _Workload(training, count, price)
        except UnknownValueError:
            if _may_have_gpus(manifest):
                unknown.add(target(manifest))
    return found, unknown


def _may_have_gpus(manifest: Manifest) -> bool:
    """Whether the pods of a workload request GPUs; True if that is unknown."""
    try:
        pods = [
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": ""}, "spec": template["spec"]}
            for template in pod_templates(manifest)
        ]
        return any(_gpus(one.each) for one in footprint(pods, ContainerLimits()).pods)
    except UnknownValueError:
        return True


def _gpus(usage: Usage) -> Usage:
    """The GPUs that a pod requests, by resource name."""
    named = ((key.removeprefix("requests."), value) for key, value in usage.items() if key.startswith("requests."))
    return {name: value for name, value in named if is_gpu(name) and value}


def _price(spec: Manifest, requested: Usage, pools: NodePools) -> Decimal | None:
    """USD per GPU-hour on the node pool that a pod selects; on the one with the most labels if it selects several."""
    selector = (spec.get("nodeSelector") or {}).items()
    fitting = [p for p in pools.values() if p["gpuResource"] in requested and p["nodeSelector"].items() <= selector]
    if not fitting:
        return None
    cost = max(fitting, key=lambda pool: len(pool["nodeSelector"]))["hourlyCost"]
    return None if cost is None else Decimal(cost)


def node_pools(config: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The node pools in the configuration of a preview; empty if they are invalid, which that preview reports."""
    try:
        pools = _NODE_POOLS.validate_python(json.loads(config.get(_NODE_POOLS_KEY, "{}")), by_alias=True, by_name=False)
    except (ValueError, ValidationError):
        return {}
    return {name: pool.model_dump(by_alias=True, mode="json") for name, pool in pools.items()}
