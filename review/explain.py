"""The diagnosis of a failed update: what is wrong with the workloads of a stack, and the fix.

``explain`` is a pure function over the objects of some namespaces; ``read`` reads them.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from components.base.objects import Manifest
from review import symptoms
from review.cluster.kubeconfig import kubeconfig
from review.cluster.kubectl import Cluster
from review.messages import Message, counted
from review.stack import cluster_config, namespaces
from review.symptoms import recognize

Index = Mapping[tuple[str, str, str], Manifest]
"""Objects by kind, namespace and name."""

KINDS = "pods,events,deployments,statefulsets,jobs,replicasets,services,persistentvolumeclaims"

# The length in characters to which messages of the cluster are cut.
_MAX_LENGTH = 300

# Reasons of events of the type Normal that are failures of a workload.
_FAILURES_OF_TYPE_NORMAL = {"Preempted"}


@dataclass(frozen=True)
class Diagnosis:
    """A failure of a workload."""

    workload: str
    """The object of the stack: ``Deployment ml-serving/bert``."""

    symptom: Message
    reported: str
    """The message of the cluster, abbreviated."""

    count: int = 1
    """The number of pods or events that report it."""


def explain(objects: Iterable[Manifest]) -> list[Diagnosis]:
    """The failures in some namespaces: one diagnosis for each cause and workload.

    Events of objects that have recovered since are ignored.
    """
    objects = list(objects)
    index = {(o["kind"], o["metadata"]["namespace"], o["metadata"]["name"]): o for o in objects if o["kind"] != "Event"}
    found: dict[tuple[str, str, str], Diagnosis] = {}
    for event in objects:
        if event["kind"] == "Event" and _is_failure(event):
            source = _source(event, index)
            if source is None or _is_resolved(source, index):
                continue
            diagnosis = _diagnose(_workload(source, index), event.get("reason", ""), event.get("message", ""))
            _add(found, diagnosis, event.get("count") or 1)
    for pod in objects:
        if pod["kind"] == "Pod" and not _is_resolved(pod, index):
            for diagnosis in _diagnose_containers(pod, _workload(pod, index)):
                _add(found, diagnosis, 1)
    for job in objects:
        for condition in (job.get("status") or {}).get("conditions") or [] if job["kind"] == "Job" else []:
            if condition["type"] == "Failed" and condition["status"] == "True":
                reason, message = condition.get("reason", ""), condition.get("message", "")
                _add(found, _diagnose(_workload(job, index), reason, message), 1)
    return sorted(found.values(), key=lambda diagnosis: (diagnosis.workload, diagnosis.symptom.text))


def _is_failure(event: Manifest) -> bool:
    return event.get("type") != "Normal" or event.get("reason") in _FAILURES_OF_TYPE_NORMAL


def _source(event: Manifest, index: Index) -> Manifest | None:
    """The object of an event, if it still exists."""
    involved = event["involvedObject"]
    namespace, name = involved.get("namespace", ""), involved["name"]
    found = index.get((involved["kind"], namespace, name))
    if found is not None or event.get("reason") != "Preempted":
        return found
    # The scheduler deletes a pod that it preempts. Its owner remains, and the name of the pod begins with the owner's.
    owner, _, _ = name.rpartition("-")
    replica_set, job = index.get(("ReplicaSet", namespace, owner)), index.get(("Job", namespace, owner))
    head, _, number = owner.rpartition("-")
    if job is None and number.isdigit():  # a pod of an Indexed Job
        job = index.get(("Job", namespace, head))
    return replica_set or (job if job and not _has_all_pods(job) else None)


def _has_all_pods(job: Manifest) -> bool:
    """Whether all active pods of a job are ready again."""
    status = job.get("status") or {}
    return 0 < int(status.get("active") or 0) <= int(status.get("ready") or 0)


def _add(found: dict[tuple[str, str, str], Diagnosis], diagnosis: Diagnosis | None, count: int) -> None:
    if diagnosis is not None:
        key = diagnosis.workload, diagnosis.symptom.text, diagnosis.symptom.fix
        earlier = found[key].count if key in found else 0
        found[key] = Diagnosis(diagnosis.workload, diagnosis.symptom, diagnosis.reported, earlier + count)


def _diagnose(workload: str, reason: str, message: str) -> Diagnosis | None:
    symptom = recognize(reason, message)
    return Diagnosis(workload, symptom, _abbreviated(message)) if symptom else None


def _diagnose_containers(pod: Manifest, workload: str) -> Iterable[Diagnosis]:
    """The failures that only the states of a pod's containers report."""
    limits = {c["name"]: (c.get("resources") or {}).get("limits") or {} for c in _containers(pod)}
    status = pod.get("status") or {}
    for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        state, last = container.get("state") or {}, container.get("lastState") or {}
        terminated = state.get("terminated") or last.get("terminated") or {}
        waiting = state.get("waiting") or {}
        name = container["name"]
        if container.get("ready"):  # it has restarted since
            continue
        exit_code = terminated.get("exitCode")
        if terminated.get("reason") == "OOMKilled":
            memory = limits.get(name, {}).get("memory")
            memory_limit = f"memory limit of {memory}" if memory else "memory limit"
            symptom = symptoms.CONTAINER_OOM_KILLED(container=name, memory_limit=memory_limit)
            yield Diagnosis(workload, symptom, f"exit code {137 if exit_code is None else exit_code}")
        elif waiting.get("reason") == "CrashLoopBackOff" or exit_code:
            kind = symptoms.CONTAINER_CRASH_LOOPS if waiting else symptoms.CONTAINER_FAILED
            symptom = kind(
                container=name,
                exit=f"exit code {exit_code or 'unknown'}",
                command=_logs(pod, name, previous=bool(waiting)),
            )
            yield Diagnosis(workload, symptom, _abbreviated(terminated.get("message") or ""))
        elif waiting.get("reason"):
            diagnosis = _diagnose(workload, waiting["reason"], waiting.get("message") or waiting["reason"])
            if diagnosis is not None:
                yield diagnosis


def _logs(pod: Manifest, container: str, *, previous: bool) -> str:
    metadata = pod["metadata"]
    flag = " --previous" if previous else ""
    return f"kubectl logs -n {metadata['namespace']} {metadata['name']} -c {container}{flag}"


def _containers(pod: Manifest) -> list[Manifest]:
    return [*(pod["spec"].get("initContainers") or []), *(pod["spec"].get("containers") or [])]


def _is_healthy(source: Manifest) -> bool:
    """Whether an object has its desired state."""
    spec, status, kind = source.get("spec") or {}, source.get("status") or {}, source["kind"]
    if kind == "Pod":
        conditions = {condition["type"]: condition["status"] for condition in status.get("conditions") or []}
        return status.get("phase") == "Succeeded" or conditions.get("Ready") == "True"
    if kind in {"ReplicaSet", "StatefulSet", "Deployment"}:
        return int(status.get("readyReplicas") or 0) >= int(spec.get("replicas", 1))
    if kind == "Job":
        return any(c["type"] == "Complete" and c["status"] == "True" for c in status.get("conditions") or [])
    if kind == "Service":
        return spec.get("type") != "LoadBalancer" or bool((status.get("loadBalancer") or {}).get("ingress"))
    if kind == "PersistentVolumeClaim":
        return status.get("phase") == "Bound"
    return False


def _is_resolved(source: Manifest, index: Index) -> bool:
    """Whether failures of an object no longer matter: it or its owner has its desired state.

    The owner of the owner does not count: a Deployment has all its replicas while those of a new version fail.
    """
    owner = _owner(source)
    head = index.get((owner["kind"], source["metadata"]["namespace"], owner["name"])) if owner else None
    return _is_healthy(source) or (head is not None and _is_healthy(head))


def _owner(source: Manifest) -> Manifest | None:
    owners: list[Manifest] = source["metadata"].get("ownerReferences") or []
    return next((owner for owner in owners if owner.get("controller")), None)


def _workload(source: Manifest, index: Index) -> str:
    """The topmost owner of an object, which is the object of the stack."""
    kind, metadata = source["kind"], source["metadata"]
    owner = _owner(source)
    if owner is None:
        return f"{kind} {metadata['namespace']}/{metadata['name']}"
    head = index.get((owner["kind"], metadata["namespace"], owner["name"]))
    return _workload(head, index) if head else f"{owner['kind']} {metadata['namespace']}/{owner['name']}"


def _abbreviated(message: str) -> str:
    message = " ".join(message.split())
    return message if len(message) <= _MAX_LENGTH else f"{message[:_MAX_LENGTH]}…"


def read(stack: str) -> list[Manifest]:
    """The pods, their owners and events in all namespaces in which a stack has objects.

    Raises CommandError if the state is not readable, ClusterError if the cluster is not.
    """
    found: list[Manifest] = []
    names, config = namespaces(stack), cluster_config(stack)
    with kubeconfig(config) as file:
        cluster = Cluster(config.get("kubernetes:context"), file)
        for namespace in sorted(names):
            found += cluster.list_all(KINDS, namespace)
    return found


def as_text(stack: str, diagnoses: Sequence[Diagnosis]) -> str:
    """The diagnoses as text."""
    if not diagnoses:
        return f"{stack}: no failures in the events and pods of the stack\n"
    lines = [f"{stack}: {counted(len(diagnoses), 'failure')}"]
    for diagnosis in diagnoses:
        times = f" ({diagnosis.count} times)" if diagnosis.count > 1 else ""
        lines += ["", f"{diagnosis.workload}: {diagnosis.symptom.text}{times}", f"  {diagnosis.symptom.fix}"]
        if diagnosis.reported:
            lines.append(f"  reported: {diagnosis.reported}")
    return "\n".join(lines) + "\n"


def as_json(_: str, diagnoses: Sequence[Diagnosis]) -> str:
    """The diagnoses as JSON."""
    content = [
        {
            "workload": diagnosis.workload,
            "symptom": diagnosis.symptom.code,
            "text": diagnosis.symptom.text,
            "fix": diagnosis.symptom.fix,
            "reported": diagnosis.reported,
            "count": diagnosis.count,
        }
        for diagnosis in diagnoses
    ]
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


FORMATS = {"text": as_text, "json": as_json}
