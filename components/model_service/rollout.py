"""How a new version takes the place of the old one, and how pods are kept apart and let go.

A rolling update either *surges* (a new pod comes before an old one goes, so that it needs room for
more pods than serve) or *replaces* (an old pod goes first, so that one pod fewer serves meanwhile).
On a full GPU pool only the latter makes progress: the new pod waits for a GPU of the old one.
"""

import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, WithJsonSchema

from ..base.arguments import Arguments
from ..base.errors import refuse
from ..base.names import MAX_INT32
from ..base.objects import Manifest
from ..base.quantities import Quantity
from ..pod.resources import ResourceList

Rollout = Literal["surge", "replace"]

# Kubernetes' own share for a surge, rounded up: one pod more for every four that serve.
_SURGE_SHARE = 4

# What Kubernetes gives a process between SIGTERM and SIGKILL, where nothing else is said.
_TERMINATION_SECONDS = 30

_PERCENTAGE = "([1-9][0-9]?|100)%"


def _count_or_share(value: Any) -> int | str:
    if isinstance(value, str) and re.fullmatch(_PERCENTAGE, value):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_INT32:
        return value
    raise refuse("must be a number of pods, at least 1, or a percentage of them such as 25%")


CountOrShare = Annotated[
    int | str,
    PlainValidator(_count_or_share),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": f"^{_PERCENTAGE}$"}]},
    ),
]
"""Checked as one type: of a union, each member would tell its own error."""


class Disruption(Arguments):
    """How many pods may be taken at once by what drains nodes: upgrades, consolidation."""

    max_unavailable: CountOrShare = Field(default=1, examples=[1, "25%"])
    """Pods, or a percentage of them. At least one: with none, no node could ever be drained."""


def surge_pods(pods: int) -> int:
    """How many pods a surge adds to those that serve."""
    return math.ceil(pods / _SURGE_SHARE)


def steps(rollout: Rollout, pods: int) -> int:
    """How often a rolling update of so many pods waits for new ones to become ready."""
    return math.ceil(pods / surge_pods(pods)) if rollout == "surge" else pods


def strategy(rollout: Rollout) -> Manifest:
    """The Deployment's ``strategy``."""
    surge = rollout == "surge"
    update = (
        {"maxSurge": f"{100 // _SURGE_SHARE}%", "maxUnavailable": 0} if surge else {"maxSurge": 0, "maxUnavailable": 1}
    )
    return {"type": "RollingUpdate", "rollingUpdate": update}


def spread(selector: Mapping[str, Any]) -> list[Manifest]:
    """The pod's ``topologySpreadConstraints``: over nodes and zones where there is a choice."""
    return [
        {
            "topologyKey": key,
            "maxSkew": 1,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": dict(selector)},
            # Each version by itself: the pods that are about to go do not count.
            "matchLabelKeys": ["pod-template-hash"],
        }
        for key in ("kubernetes.io/hostname", "topology.kubernetes.io/zone")
    ]


def draining(seconds: int) -> tuple[Manifest, Manifest]:
    """The fields of the container and of the pod that let requests end before the process does."""
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
            # A pod that does not serve anyway must not keep a node from being drained.
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    }


def cautions(rollout: Rollout, pods: int, gpus: ResourceList, quota: Mapping[str, Quantity]) -> list[str]:
    """What a rollout does that one might not expect, given the quota of the team: each with its fix."""
    if rollout == "replace":
        if pods > 1:
            return []
        held = "GPUs" if gpus else "volume"
        fix = ", or set rollout: surge where as many are free" if gpus else " on a volume that they can share"
        return [
            f"each new version interrupts the service until its model has loaded: the new pod waits for the {held} of "
            f"the only one that serves. Run two replicas{fix}."
        ]
    # What a quota counts, it holds with the surge: it is checked when the workload is counted.
    return [
        f"a new version makes progress only where {surge_pods(pods) * int(count)} {resource} are free beside what "
        f"serves, and no quota keeps them free. Give the team one on requests.{resource}, or set rollout: replace."
        for resource, count in gpus.items()
        if f"requests.{resource}" not in quota
    ]
