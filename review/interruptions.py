"""What a change interrupts: pods, running jobs, the address of a load balancer, data."""

import re
from dataclasses import dataclass
from typing import Any

from components.base.objects import WORKLOADS, Manifest, target
from components.model_service.networking import address
from review.preview import Step

_SILENCE = "nothing answers until new ones are ready"


@dataclass(frozen=True)
class Interruption:
    """Something that stops, for a while or for good."""

    target: str
    why: str
    """What is done to the object."""

    what: str
    """What that interrupts."""

    gone: bool
    """Whether nothing answers for a while, or it does not come back, or comes back as another: to be wanted."""


def interruptions(steps: tuple[Step, ...]) -> list[Interruption]:
    """What the steps interrupt, the worst first."""
    found = [interruption for step in steps if step.changes and (interruption := _of(step)) is not None]
    return sorted(found, key=lambda interruption: (not interruption.gone, interruption.target))


def _of(step: Step) -> Interruption | None:
    before = step.before
    if before is None:
        return None
    name = target(before)
    if step.op in {"delete", "replace"}:
        why = "deleted" if step.op == "delete" else f"replaced: {', '.join(step.reasons) or 'it cannot be changed'}"
        what = _lost(step)
        return Interruption(name, why, what, gone=True) if what else None
    after = step.after or {}
    given = address(step.live.get("status")) if before["kind"] == "Service" else None
    if given and (after.get("spec") or {}).get("type") != "LoadBalancer":
        return Interruption(name, "no longer a load balancer", f"gives up the address {given}", gone=True)
    if before["kind"] in {"Deployment", "StatefulSet", "DaemonSet"}:
        return _rollout(name, step, before.get("spec") or {}, after.get("spec") or {})
    return None


def _rollout(name: str, step: Step, old: Manifest, new: Manifest) -> Interruption | None:
    """What an update does to the pods of a workload that serves."""
    pods = _running(step.live)
    if not pods:
        return None
    if new.get("replicas") == 0:
        return Interruption(name, "scaled to zero", f"{_pods(pods)} at once: nothing answers any more", gone=True)
    if old.get("template") == new.get("template"):
        return None
    replicas = new.get("replicas")
    # Where an autoscaler has the replicas, there are as many as run.
    if _falls_silent(step.manifest["kind"], new, pods if replicas is None else replicas):
        return Interruption(name, "new pods", f"{_pods(pods)} at once: {_SILENCE}", gone=True)
    return Interruption(name, "new pods", f"{_pods(pods)} replaced one after another", gone=False)


def _falls_silent(kind: str, spec: Manifest, replicas: Any) -> bool:
    """Whether a rollout may come to a point where no pod answers, as far as that is known before ``up``."""
    strategy = spec.get("strategy") or {}
    if kind == "Deployment" and strategy.get("type") == "Recreate":
        return True
    if not isinstance(replicas, int):
        return False
    if kind == "Deployment":
        rolling = strategy.get("rollingUpdate") or {}
        surge = _share(rolling.get("maxSurge", "25%"), replicas, up=True)
        fewer = _share(rolling.get("maxUnavailable", "25%"), replicas, up=False)
        if surge is None or fewer is None:
            return False
        # Kubernetes lets one go first where neither allows a step.
        return replicas <= (fewer if surge or fewer else 1)
    # A DaemonSet's pods go node by node, and with OnDelete none goes by itself.
    return kind == "StatefulSet" and replicas == 1 and (spec.get("updateStrategy") or {}).get("type") != "OnDelete"


def _share(value: Any, replicas: int, *, up: bool) -> int | None:
    """A number of pods or a percentage of them; None where it is not known."""
    if isinstance(value, int):
        return value
    percent = re.fullmatch(r"(\d+)%", str(value))
    if percent is None:
        return None
    whole, rest = divmod(int(percent[1]) * replicas, 100)
    return whole + bool(rest and up)


def _lost(step: Step) -> str:
    """What an object takes with it; empty for those that nothing runs on."""
    manifest, live = step.before or {}, step.live
    kind, status = manifest["kind"], live.get("status") or {}
    if kind == "Namespace":
        return "everything in it is deleted"
    if kind == "PersistentVolumeClaim":
        return "its data, unless the storage class retains volumes"
    if kind == "Service":
        given = address(status)
        return f"gives up the address {given}" if given else "its cluster IP; clients lose their connections"
    if kind == "Job":
        if status.get("active"):
            return f"{_pods(status['active'])} of a running job: what is not in a checkpoint is lost"
        return "" if step.op == "delete" else "it has ended, and runs once more"
    if kind == "Pod":
        phase = status.get("phase", "Unknown")
        if phase in {"Succeeded", "Failed"}:
            return "" if step.op == "delete" else "it has ended, and runs once more"
        return f"its pod, which is {phase}: what is not in a checkpoint is lost"
    if kind in WORKLOADS:
        return f"{_pods(_running(live))} at once: {_SILENCE}"
    return ""


def _running(live: Manifest) -> int:
    status: dict[str, Any] = live.get("status") or {}
    return int(status.get("replicas") or status.get("currentNumberScheduled") or 0)


def _pods(count: int) -> str:
    return "1 pod" if count == 1 else f"{count} pods"
