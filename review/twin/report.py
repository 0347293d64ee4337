"""The result of a change that was tried on a twin."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from components.base.objects import Manifest, target
from review import twin_messages as messages
from review.messages import Message, counted
from review.twin.client import Client
from review.twin.observe import Disappeared
from review.twin.owners import Owners, controller_of, key, wanted_pods
from review.twin.play import Play
from review.twin.rollouts import Rollout, selected_workloads
from review.twin.text import duration
from review.twin.trouble import Trouble

_DISRUPTIONS = {
    "PreemptionByScheduler": "preempted in favor of pods with a higher priority",
    "EvictionByEvictionAPI": "evicted",
    "DeletionByTaintManager": "evicted because of a taint of their node",
    "DeletionByPodGC": "deleted with their node",
}


@dataclass(frozen=True)
class TwinReport:
    """What a trial of a change showed."""

    problems: tuple[Message, ...] = ()
    warnings: tuple[Message, ...] = ()
    notes: tuple[Message, ...] = ()
    rollouts: tuple[Rollout, ...] = ()
    """The ready endpoints of every Service over time."""

    durations: Mapping[str, float] = field(default_factory=dict)
    """Phase of the trial → real seconds."""

    scale: float = 1.0
    """Simulated seconds per real second."""


def merged(
    found: Iterable[Message], recorded: Sequence[Rollout], durations: Mapping[str, float], scale: float
) -> TwinReport:
    """A report of messages, by group. Equal messages are listed once."""
    texts = {message.text: message for message in found}
    groups = {
        group: tuple(message for message in texts.values() if message.kind.group == group)
        for group in ("problem", "warning", "note")
    }
    return TwinReport(
        groups["problem"], groups["warning"], groups["note"], tuple(recorded), dict(durations), round(scale, 2)
    )


def faults(new: Iterable[Trouble], play: Play) -> Iterator[Message]:
    """The messages of new faults. An object that the engine waits for stops the update."""
    for trouble in new:
        name, reason = target(trouble.manifest), trouble.reason
        waited = play.unready.get(key(trouble.manifest))
        ready = trouble.wanted - trouble.missing
        if trouble.code == "pods-missing" and waited is not None:
            limit = duration(waited)
            yield messages.UPDATE_STUCK(target=name, ready=ready, wanted=trouble.wanted, timeout=limit, reason=reason)
        elif trouble.code == "pods-missing":
            yield messages.PODS_MISSING(target=name, ready=ready, wanted=trouble.wanted, reason=reason)
        elif trouble.code == "claim-unbound":
            yield messages.CLAIM_UNBOUND(target=name, reason=reason)
        elif trouble.code == "job-failed":
            yield messages.JOB_FAILED(target=name, reason=reason)
        else:
            yield messages.AUTOSCALER_FAILED(target=name, reason=reason)


def services(
    before: Sequence[Manifest],
    after: Sequence[Manifest],
    recorded: Sequence[Rollout],
    new: Sequence[Trouble],
    play: Play,
) -> Iterator[Message]:
    """The messages of Services without endpoints. A fault of their pods is reported for the workload."""
    faulty = {key(trouble.manifest) for trouble in new}
    existing = {target(one): one for one in after if one["kind"] == "Service"}
    former = {target(one): one for one in before if one["kind"] == "Service"}
    for rollout in recorded:
        service = existing.get(rollout.target)
        if service is None:
            continue
        if rollout.zero_seconds:
            yield messages.SERVICE_AT_ZERO(target=rollout.target, duration=duration(rollout.zero_seconds))
        if rollout.ready_after or any(key(one) in faulty for one in selected_workloads(service, after)):
            continue
        if key(service) in play.unready:
            limit = duration(play.unready[key(service)])
            yield messages.SERVICE_STUCK(target=rollout.target, timeout=limit)
        elif rollout.ready_before and not _is_stopped(former.get(rollout.target, service), before, after):
            yield messages.SERVICE_LOST_ENDPOINTS(target=rollout.target, count=rollout.ready_before)
    shown = {rollout.target for rollout in recorded}
    for name, service in existing.items():
        if name not in shown and key(service) in play.unready:
            yield messages.SERVICE_STUCK(target=name, timeout=duration(play.unready[key(service)]))


def removed(client: Client, play: Play) -> Iterator[Message]:
    """The messages of objects that were applied, and that no longer exist although no step deletes them."""
    deleted = {key(one) for one in play.deleted}
    for one in play.applied:
        if key(one.manifest) not in deleted and client.get(one.manifest) is None:
            yield messages.OBJECT_REMOVED(target=target(one.manifest))


def _is_stopped(service: Manifest, before: Sequence[Manifest], after: Sequence[Manifest]) -> bool:
    """Whether the workloads that a Service selected are deleted, or scaled to zero on purpose."""
    remaining = {key(one): one for one in after}
    selected = selected_workloads(service, before)
    return bool(selected) and all(
        key(one) not in remaining or wanted_pods(remaining[key(one)]) == 0 for one in selected
    )


def disruptions(disappeared: Iterable[Disappeared], before: Sequence[Manifest], play: Play) -> Iterator[Message]:
    """The workloads that lose pods although no step changes or deletes them."""
    owners = Owners(before)
    existing = {one["metadata"]["uid"]: one for one in owners.of_kind("Pod")}
    namespaces = {one["metadata"]["name"] for one in play.deleted if one["kind"] == "Namespace"}
    touched = play.touched()
    counts: dict[tuple[str, str], int] = {}
    for one in disappeared:
        pod = existing.get(one.pod["metadata"]["uid"])
        if pod is None or (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}:
            continue
        root = owners.root(pod)
        if controller_of(root) is not None:  # its owner was deleted before the change
            continue
        expected = key(root) in touched or root["metadata"].get("namespace") in namespaces
        if one.reason in _DISRUPTIONS or not expected:
            counts[target(root), one.reason] = counts.get((target(root), one.reason), 0) + 1
    for (name, reason), count in counts.items():
        disruption = _DISRUPTIONS.get(reason, "deleted")
        yield messages.POD_DISRUPTED(target=name, pods=counted(count, "pod"), disruption=disruption)
