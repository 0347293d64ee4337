"""What does not work in a cluster: pods that are not created, scheduled or ready, claims, jobs, autoscalers."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from components.base.objects import Manifest, containers, target
from review import twin_messages as messages
from review.messages import Message
from review.symptoms import recognize
from review.twin.owners import Key, Owners, condition, controller_of, is_ready, key, wanted_pods

_PENDING_CLAIM = {"WaitForFirstConsumer", "ExternalProvisioning", "WaitForPodScheduled"}
"""The reasons of events of claims whose volume is provisioned later, or by a program that does not run on the twin."""


@dataclass(frozen=True)
class Trouble:
    """A fault of an object."""

    manifest: Manifest
    code: str
    """The kind of fault: only a fault that the object did not have before the change is reported."""

    reason: Message
    missing: int = 0
    """The number of pods that are not ready."""

    wanted: int = 0

    @property
    def identity(self) -> tuple[Key, str]:
        """The object and the kind of fault."""
        return key(self.manifest), self.code


def troubles(objects: Sequence[Manifest], events: Sequence[Manifest]) -> list[Trouble]:
    """All faults in a cluster."""
    owners = Owners(objects)
    reasons = _Reasons(owners, events)
    return [
        *_workloads(owners, reasons),
        *_claims(owners, reasons),
        *_jobs(owners),
        *_autoscalers(owners),
    ]


def new_troubles(before: Iterable[Trouble], after: Iterable[Trouble]) -> list[Trouble]:
    """The faults that a cluster did not have before, or that have grown."""
    known = {one.identity: one.missing for one in before}
    return [one for one in after if one.identity not in known or one.missing > known[one.identity]]


class _Reasons:
    """Why pods are missing, according to controllers and the scheduler."""

    def __init__(self, owners: Owners, events: Sequence[Manifest]) -> None:
        self._owners = owners
        self._pods = owners.pods()
        self._events: dict[str, list[Manifest]] = {}
        for event in events:
            self._events.setdefault((event.get("involvedObject") or {}).get("uid", ""), []).append(event)
        self._descendants: dict[Key, list[Manifest]] = {}
        for one in owners.objects:
            self._descendants.setdefault(key(owners.root(one)), []).append(one)

    def pods(self, workload: Manifest) -> list[Manifest]:
        return self._pods.get(key(workload), [])

    def event(self, manifest: Manifest, *reasons: str) -> Manifest | None:
        """The last event of an object with one of the reasons."""
        found = [one for one in self._events.get(manifest["metadata"]["uid"], []) if one.get("reason") in reasons]
        return found[-1] if found else None

    def of(self, workload: Manifest) -> Message:
        """Why a workload has fewer ready pods than it wants."""
        for pod in self.pods(workload):
            scheduled = condition(pod, "PodScheduled")
            if scheduled.get("status") == "False":
                return reported("FailedScheduling", scheduled.get("message", ""))
        for one in self._descendants.get(key(workload), []):
            failure = condition(one, "ReplicaFailure")
            if failure.get("status") == "True":
                return reported("FailedCreate", failure.get("message", ""))
        for one in self._descendants.get(key(workload), []):
            event = self.event(one, "FailedCreate")
            if event is not None and one["kind"] != "Pod":
                return reported("FailedCreate", event.get("message", ""))
        for pod in self.pods(workload):
            if not is_ready(pod):
                return _of_pod(pod)
        return messages.NO_POD_CREATED()


def reported(reason: str, text: str) -> Message:
    """The meaning of what a controller or admission reports; its own words if it has no known meaning."""
    found = recognize(reason, text)
    if found is None or found.code == "unschedulable":
        return messages.UNRECOGNIZED(text=text)
    return found


def _of_pod(pod: Manifest) -> Message:
    for container in (pod.get("status") or {}).get("containerStatuses") or []:
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason"):
            text = f"{waiting['reason']}: {waiting.get('message', '')}".rstrip(": ")
            return recognize(waiting["reason"], text) or messages.UNRECOGNIZED(text=text)
    return messages.NO_ENDPOINT_READY()


def _workloads(owners: Owners, reasons: _Reasons) -> Iterator[Trouble]:
    kinds = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "Pod")
    for workload in owners.of_kind(*kinds):
        if controller_of(workload) is not None or "deletionTimestamp" in workload["metadata"]:
            continue
        wanted = wanted_pods(workload) or 0
        if workload["kind"] == "Pod" and (workload.get("status") or {}).get("phase") in {"Succeeded", "Failed"}:
            continue
        ready = sum(map(is_ready, reasons.pods(workload)))
        # A rollout that does not finish has all pods ready, and an old version.
        stalled = _stalled(reasons, workload)
        if ready < wanted or stalled:
            missing = max(wanted - ready, stalled)
            yield Trouble(workload, "pods-missing", reasons.of(workload), missing, wanted)


def _stalled(reasons: _Reasons, workload: Manifest) -> int:
    """The number of pods of the current version that are missing; 0 if the rollout has finished."""
    status, kind = workload.get("status") or {}, workload["kind"]
    wanted = wanted_pods(workload) or 0
    if kind == "Deployment" and not (workload.get("spec") or {}).get("paused"):
        pending = [pod for pod in reasons.pods(workload) if not is_ready(pod)]
        return max(0, wanted - int(status.get("updatedReplicas") or 0), len(pending))
    if kind == "StatefulSet" and status.get("updateRevision") != status.get("currentRevision"):
        return sum(not is_ready(pod) for pod in reasons.pods(workload))
    return 0


def _claims(owners: Owners, reasons: _Reasons) -> Iterator[Trouble]:
    for claim in owners.of_kind("PersistentVolumeClaim"):
        if (claim.get("status") or {}).get("phase") != "Pending":
            continue
        event = reasons.event(claim, "ProvisioningFailed", "FailedBinding", *_PENDING_CLAIM)
        if event is not None and event["reason"] not in _PENDING_CLAIM:
            reason = reported("ProvisioningFailed", event.get("message", ""))
            yield Trouble(claim, "claim-unbound", reason)


def _jobs(owners: Owners) -> Iterator[Trouble]:
    for job in owners.of_kind("Job"):
        failed = condition(job, "Failed")
        if failed.get("status") == "True":
            text = f"{failed.get('reason', '')}: {failed.get('message', '')}"
            yield Trouble(job, "job-failed", messages.UNRECOGNIZED(text=text))


def _autoscalers(owners: Owners) -> Iterator[Trouble]:
    """Autoscalers without a usable target. The metrics themselves are not part of the twin."""
    targets: dict[tuple[str, str, str], Manifest] = {}
    workloads = {(one["kind"], *_scope(one)): one for one in owners.objects if one["kind"] != "HorizontalPodAutoscaler"}
    pods = owners.pods()
    for autoscaler in owners.of_kind("HorizontalPodAutoscaler"):
        reference = autoscaler["spec"]["scaleTargetRef"]
        name = (reference["kind"], autoscaler["metadata"]["namespace"], reference["name"])
        scaled = workloads.get(name)
        reason: Message | None = None
        if name in targets:
            reason = messages.TARGET_SHARED(other=target(targets[name]))
        elif scaled is None:
            reason = messages.TARGET_NOT_FOUND(target=f"{reference['kind']} {reference['name']}")
        else:
            reason = _missing_request(autoscaler, pods.get(key(scaled), []))
        targets.setdefault(name, autoscaler)
        if reason is not None:
            yield Trouble(autoscaler, "autoscaler-failed", reason)


def _scope(manifest: Manifest) -> tuple[str, str]:
    return manifest["metadata"].get("namespace", ""), manifest["metadata"]["name"]


def _missing_request(autoscaler: Manifest, pods: Sequence[Manifest]) -> Message | None:
    """Utilization is a share of the request, which admission may have set: the pods on the twin have it."""
    for metric in autoscaler["spec"].get("metrics") or []:
        source: Mapping[str, Manifest] = metric.get("resource") or metric.get("containerResource") or {}
        if (source.get("target") or {}).get("type") != "Utilization":
            continue
        for container in (one for pod in pods[:1] for one in containers(pod["spec"])):
            only = metric["type"] == "ContainerResource" and container["name"] != source.get("container")
            if not only and source["name"] not in ((container.get("resources") or {}).get("requests") or {}):
                return messages.REQUESTS_MISSING(resource=source["name"], container=container["name"])
    return None
