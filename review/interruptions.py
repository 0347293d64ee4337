"""The interruptions of a change: of pods, running jobs, addresses of load balancers, and data."""

from dataclasses import dataclass
from typing import Any

from components.base.objects import WORKLOADS, Manifest, UnknownValueError, int_or_percent, target
from components.model_service.networking import address
from review import messages
from review.messages import Message, counted
from review.preview import Step, with_unknown


@dataclass(frozen=True)
class Interruption:
    """The effect of a change on something that runs or stores data."""

    target: str
    change: Message
    effect: Message
    disruptive: bool
    """Whether requests fail, work is lost, or something is gone for good: all but a rolling update."""


def interruptions(steps: tuple[Step, ...]) -> list[Interruption]:
    """The interruptions of all steps, disruptive ones first."""
    found = [interruption for step in steps if step.is_change and (interruption := _of_step(step)) is not None]
    return sorted(found, key=lambda interruption: (not interruption.disruptive, interruption.target))


def _of_step(step: Step) -> Interruption | None:
    before = step.before
    if before is None:
        return None
    name = target(before)
    if step.op in {"delete", "replace"}:
        fields = ", ".join(step.reasons) or "an immutable field"
        change = messages.DELETED() if step.op == "delete" else messages.REPLACED(fields=fields)
        effect = _loss(step)
        return Interruption(name, change, effect, disruptive=True) if effect else None
    after = step.after or {}
    current = address(step.live.get("status")) if before["kind"] == "Service" else None
    if current and (after.get("spec") or {}).get("type") != "LoadBalancer":
        released = messages.ADDRESS_RELEASED(address=current)
        return Interruption(name, messages.LOAD_BALANCER_REMOVED(), released, disruptive=True)
    if before["kind"] in {"Deployment", "StatefulSet", "DaemonSet"}:
        return _rollout(name, step, before.get("spec") or {}, after.get("spec") or {})
    if before["kind"] in {"Job", "Pod"}:
        return _run(name, step, before.get("spec") or {}, after.get("spec") or {})
    return None


# A deadline for a run in progress that is shorter than most trainings may be in the wrong unit.
_SHORT_DEADLINE_SECONDS = 3600


def _run(name: str, step: Step, old: Manifest, new: Manifest) -> Interruption | None:
    """The effect of an update on a run that has started and not finished."""
    status = step.live.get("status") or {}
    active = status.get("active") if step.manifest["kind"] == "Job" else int(status.get("phase") == "Running")
    if not active:
        return None
    pods = counted(active, "pod")
    if new.get("suspend") is True and not old.get("suspend"):
        return Interruption(name, messages.SUSPENDED(), messages.RUNNING_JOB_TERMINATED(pods=pods), disruptive=True)
    before, after = (spec.get("activeDeadlineSeconds") for spec in (old, new))
    if isinstance(after, int) and (before is None or (isinstance(before, int) and after < before)):
        change = messages.DEADLINE_LOWERED(seconds=after)
        effect = messages.STOPPED_AT_DEADLINE(pods=pods)
        return Interruption(name, change, effect, disruptive=after < _SHORT_DEADLINE_SECONDS)
    return None


def _rollout(name: str, step: Step, old: Manifest, new: Manifest) -> Interruption | None:
    """The effect of an update on the running pods of a workload."""
    running = _running(step.live)
    if not running:
        return None
    pods = counted(running, "pod")
    if new.get("replicas") == 0:
        return Interruption(name, messages.SCALED_TO_ZERO(), messages.SERVING_STOPPED(pods=pods), disruptive=True)
    if old.get("template") == new.get("template"):
        return None
    replicas = new.get("replicas")
    # An autoscaled workload sets no replicas, and keeps as many as it has.
    try:
        outage = _has_outage(step.manifest["kind"], with_unknown(new), running if replicas is None else replicas)
    except UnknownValueError:
        outage = False
    if outage:
        return Interruption(name, messages.POD_TEMPLATE_CHANGED(), messages.OUTAGE(pods=pods), disruptive=True)
    return Interruption(name, messages.POD_TEMPLATE_CHANGED(), messages.ROLLING_UPDATE(pods=pods), disruptive=False)


def _has_outage(kind: str, spec: Manifest, replicas: Any) -> bool:
    """Whether a rollout may reach a point without a ready pod. Raises UnknownValueError."""
    strategy = spec.get("strategy") or {}
    if kind == "Deployment" and strategy.get("type") == "Recreate":
        return True
    if not isinstance(replicas, int):
        return False
    if kind == "Deployment":
        rolling = strategy.get("rollingUpdate") or {}
        surge = int_or_percent(rolling.get("maxSurge", "25%"), replicas, round_up=True)
        unavailable = int_or_percent(rolling.get("maxUnavailable", "25%"), replicas, round_up=False)
        # If both are 0, Kubernetes sets maxUnavailable to 1.
        return replicas <= (unavailable if surge or unavailable else 1)
    # A DaemonSet replaces its pods node by node, and the strategy OnDelete replaces none.
    return kind == "StatefulSet" and replicas == 1 and (spec.get("updateStrategy") or {}).get("type") != "OnDelete"


def _loss(step: Step) -> Message | None:
    """The effect of the deletion of an object; None if nothing depends on it."""
    manifest, status = step.before or {}, step.live.get("status") or {}
    kind = manifest["kind"]
    if kind == "Namespace":
        return messages.NAMESPACE_CONTENTS_DELETED()
    if kind == "PersistentVolumeClaim":
        return messages.DATA_DELETED()
    if kind == "Service":
        current = address(status)
        return messages.ADDRESS_RELEASED(address=current) if current else messages.CLUSTER_IP_RELEASED()
    if kind == "Job":
        if status.get("active"):
            return messages.RUNNING_JOB_TERMINATED(pods=counted(status["active"], "pod"))
        return None if step.op == "delete" else messages.FINISHED_RUN_REPEATED()
    if kind == "Pod":
        phase = status.get("phase", "Unknown")
        if phase in {"Succeeded", "Failed"}:
            return None if step.op == "delete" else messages.FINISHED_RUN_REPEATED()
        return messages.RUNNING_POD_TERMINATED(phase=phase)
    if kind in WORKLOADS:
        return messages.OUTAGE(pods=counted(_running(step.live), "pod"))
    return None


def _running(live: Manifest) -> int:
    status: dict[str, Any] = live.get("status") or {}
    return int(status.get("replicas") or status.get("currentNumberScheduled") or 0)
