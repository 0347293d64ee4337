"""Rollouts of a ModelService: rolling updates, topology spread, the preStop delay and the PodDisruptionBudget.

A rolling update either *surges* (a new pod becomes ready before an old one is stopped, which requires
room for more pods than serve) or *replaces* (an old pod is stopped first, so that one pod fewer serves
meanwhile). On a full GPU pool only the latter makes progress: a new pod waits for the GPU of an old one.
"""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, WithJsonSchema

from ..base.arguments import Arguments
from ..base.error_table import COUNT_OR_PERCENTAGE
from ..base.errors import Problem
from ..base.names import MAX_INT32
from ..base.objects import Manifest
from ..base.quantities import Quantity
from ..base.warning_table import ROLLOUT_INTERRUPTS, SURGE_UNRESERVED
from ..pod.resources import ResourceList

Rollout = Literal["surge", "replace"]

# Kubernetes' own share for a surge, rounded up: one more pod for every four that serve.
_PODS_PER_SURGE_POD = 4

# Kubernetes' own default between SIGTERM and SIGKILL.
_TERMINATION_SECONDS = 30

_PERCENTAGE = "([1-9][0-9]?|100)%"


def _count_or_percentage(value: Any) -> int | str:
    if isinstance(value, str) and re.fullmatch(_PERCENTAGE, value):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_INT32:
        return value
    raise COUNT_OR_PERCENTAGE()


CountOrPercentage = Annotated[
    int | str,
    PlainValidator(_count_or_percentage),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": f"^{_PERCENTAGE}$"}]},
    ),
]
"""Validated as one type: each member of a union would report its own error."""


class Disruption(Arguments):
    """How many pods can be evicted at once when nodes are drained, for an upgrade or to consolidate them.

    Updatable in place.
    """

    max_unavailable: CountOrPercentage = Field(default=1, examples=[1, "25%"])
    """Number of pods, or a percentage of them. At least 1: with 0, no node could ever be drained."""


def surge_pods(pods: int) -> int:
    """The number of pods that a surge adds to those that serve."""
    return math.ceil(pods / _PODS_PER_SURGE_POD)


def rollout_steps(rollout: Rollout, pods: int) -> int:
    """How often a rolling update of a number of pods waits for new ones to become ready."""
    return math.ceil(pods / surge_pods(pods)) if rollout == "surge" else pods


def strategy(rollout: Rollout) -> Manifest:
    """The Deployment's ``strategy``."""
    surge = {"maxSurge": f"{100 // _PODS_PER_SURGE_POD}%", "maxUnavailable": 0}
    replace = {"maxSurge": 0, "maxUnavailable": 1}
    return {"type": "RollingUpdate", "rollingUpdate": surge if rollout == "surge" else replace}


def topology_spread(selector: Mapping[str, Any]) -> list[Manifest]:
    """The pod's ``topologySpreadConstraints``: over nodes and zones, if there are several."""
    return [
        {
            "topologyKey": key,
            "maxSkew": 1,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": dict(selector)},
            # Each version separately: the old pods of a rollout do not count.
            "matchLabelKeys": ["pod-template-hash"],
        }
        for key in ("kubernetes.io/hostname", "topology.kubernetes.io/zone")
    ]


def prestop_delay(seconds: int) -> tuple[Manifest, Manifest]:
    """The container's preStop hook and the pod's termination grace period, for a delay in seconds."""
    if seconds == 0:
        return {}, {}
    hook = {"lifecycle": {"preStop": {"sleep": {"seconds": seconds}}}}
    return hook, {"terminationGracePeriodSeconds": seconds + _TERMINATION_SECONDS}


def disruption_budget(name: str, metadata: Manifest, selector: Mapping[str, Any], disruption: Disruption) -> Manifest:
    """The PodDisruptionBudget."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {**metadata, "name": name},
        "spec": {
            "maxUnavailable": disruption.max_unavailable,
            "selector": {"matchLabels": dict(selector)},
            # Pods that are not ready must not block the drain of a node.
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    }


def rollout_warnings(
    rollout: Rollout, pods: int, gpus: ResourceList, quota: Mapping[str, Quantity]
) -> Iterator[Problem]:
    """Unexpected effects of a rollout of a number of pods, given their GPUs and the team's quota."""
    if rollout == "replace" and pods == 1:
        held = "GPUs" if gpus else "volume"
        addition = (
            "or rollout: surge if as many GPUs are free" if gpus else "with a volume that several nodes can mount"
        )
        yield ROLLOUT_INTERRUPTS.problem(("rollout",), held=held, addition=addition)
    for resource, count in gpus.items() if rollout == "surge" else ():
        # A quota on the resource reserves the surge, too, which counts against it.
        if f"requests.{resource}" not in quota:
            more = surge_pods(pods) * int(count)
            yield SURGE_UNRESERVED.problem(("rollout",), count=more, resource=resource)
