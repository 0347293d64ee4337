"""After a failed ``up``: what is wrong with the workloads of a stack, and the fix.

``explain`` is a pure function over what the API server says of some namespaces; ``read`` asks it.
"""

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from review.cluster.kubeconfig import kubeconfig
from review.cluster.kubectl import UnansweredError
from review.symptoms import recognized

Object = Mapping[str, Any]

Index = Mapping[tuple[str, str, str], Object]
"""Objects by kind, namespace and name."""

KINDS = "pods,events,deployments,statefulsets,jobs,replicasets,services,persistentvolumeclaims"

# What Kubernetes takes for the normal course of things, and whoever is hit by it does not.
_NORMAL_AND_YET_TOLD = {"Preempted"}


class ClusterError(Exception):
    """The cluster, or the stack's state, could not be read."""


@dataclass(frozen=True)
class Diagnosis:
    """One thing that is wrong with one workload."""

    workload: str
    """The object that the stack made: ``Deployment ml-serving/bert``."""

    what: str
    fix: str
    said: str
    """What the cluster said, shortened."""

    count: int = 1
    """How many pods or events say it."""


def explain(objects: Iterable[Object]) -> list[Diagnosis]:
    """What is wrong in some namespaces, one diagnosis for each cause and workload.

    Events of what has come right since are left out.
    """
    objects = list(objects)
    index = {(o["kind"], o["metadata"]["namespace"], o["metadata"]["name"]): o for o in objects if o["kind"] != "Event"}
    found: dict[tuple[str, str, str], Diagnosis] = {}
    for event in objects:
        if event["kind"] == "Event" and (event.get("type") != "Normal" or event.get("reason") in _NORMAL_AND_YET_TOLD):
            source = _source(event, index)
            if source is None or _past(source, index):
                continue
            diagnosis = _diagnosed(_workload(source, index), event.get("reason", ""), event.get("message", ""))
            _count(found, diagnosis, event.get("count") or 1)
    for pod in objects:
        if pod["kind"] == "Pod" and not _past(pod, index):
            for diagnosis in _containers(pod, _workload(pod, index)):
                _count(found, diagnosis, 1)
    for owner in objects:
        for condition in (owner.get("status") or {}).get("conditions") or [] if owner["kind"] == "Job" else []:
            if condition["type"] == "Failed" and condition["status"] == "True":
                told = _diagnosed(_workload(owner, index), condition.get("reason", ""), condition.get("message", ""))
                _count(found, told, 1)
    return sorted(found.values(), key=lambda diagnosis: (diagnosis.workload, diagnosis.what))


def _source(event: Object, index: Index) -> Object | None:
    """What an event is about, if it is still there."""
    about = event["involvedObject"]
    place, name = about.get("namespace", ""), about["name"]
    found = index.get((about["kind"], place, name))
    if found is not None or event.get("reason") != "Preempted":
        return found
    # The scheduler deletes the pod that it preempts: what is left is its owner, whose name the pod's begins with.
    owner, _, _ = name.rpartition("-")
    replica_set, job = index.get(("ReplicaSet", place, owner)), index.get(("Job", place, owner))
    head, _, number = owner.rpartition("-")
    if job is None and number.isdigit():  # a pod of an Indexed Job
        job = index.get(("Job", place, head))
    return replica_set or (job if job and not _runs(job) else None)


def _runs(job: Object) -> bool:
    """Whether a job has all pods again that it should have at once."""
    status = job.get("status") or {}
    return 0 < int(status.get("active") or 0) <= int(status.get("ready") or 0)


def _count(found: dict[tuple[str, str, str], Diagnosis], diagnosis: Diagnosis | None, count: int) -> None:
    if diagnosis is not None:
        key = diagnosis.workload, diagnosis.what, diagnosis.fix
        before = found[key].count if key in found else 0
        found[key] = Diagnosis(*key, diagnosis.said, before + count)


def _diagnosed(workload: str, reason: str, message: str) -> Diagnosis | None:
    meaning = recognized(reason, message)
    return Diagnosis(workload, *meaning, _short(message)) if meaning else None


def _containers(pod: Object, workload: str) -> Iterable[Diagnosis]:
    """What the states of a pod's containers say, which no event does."""
    limits = {c["name"]: (c.get("resources") or {}).get("limits") or {} for c in _specs(pod)}
    status = pod.get("status") or {}
    for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        state, last = container.get("state") or {}, container.get("lastState") or {}
        ended = state.get("terminated") or last.get("terminated") or {}
        waiting = state.get("waiting") or {}
        name = container["name"]
        if container.get("ready"):  # how it ended before is past
            continue
        if ended.get("reason") == "OOMKilled":
            limit = limits.get(name, {}).get("memory")
            what = f"container {name} was OOMKilled: the memory limit{f' of {limit}' if limit else ''} is too low"
            fix = "raise resources.limits.memory, or make it load less at once: smaller batches, fewer workers"
            yield Diagnosis(workload, what, fix, f"exit code {ended.get('exitCode', 137)}")
        elif waiting.get("reason") == "CrashLoopBackOff" or ended.get("exitCode"):
            code = ended.get("exitCode")
            what = f"container {name} ends again and again" if waiting else f"container {name} failed"
            what += f" with exit code {code}" if code else ""
            yield Diagnosis(
                workload, what, _logs(pod, name, previous=bool(waiting)), _short(ended.get("message") or "")
            )
        elif waiting.get("reason"):
            told = _diagnosed(workload, waiting["reason"], waiting.get("message") or waiting["reason"])
            if told is not None:
                yield told


def _logs(pod: Object, container: str, *, previous: bool) -> str:
    metadata = pod["metadata"]
    flag = " --previous" if previous else ""
    return f"read why: kubectl logs -n {metadata['namespace']} {metadata['name']} -c {container}{flag}"


def _specs(pod: Object) -> list[Object]:
    return [*(pod["spec"].get("initContainers") or []), *(pod["spec"].get("containers") or [])]


def _well(source: Object) -> bool:
    """Whether an object is as it should be by now."""
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


def _past(source: Object, index: Index) -> bool:
    """Whether what happened to an object is of no matter any more: it, or what made it, is as it should be.

    Not what made that in turn: a Deployment has all its replicas while those of a new version fail.
    """
    owner = _owner(source)
    head = index.get((owner["kind"], source["metadata"]["namespace"], owner["name"])) if owner else None
    return _well(source) or (head is not None and _well(head))


def _owner(source: Object) -> Object | None:
    owners: list[Object] = source["metadata"].get("ownerReferences") or []
    return next((owner for owner in owners if owner.get("controller")), None)


def _workload(source: Object, index: Index) -> str:
    """The object at the head of the owners: what the stack made."""
    kind, metadata = source["kind"], source["metadata"]
    owner = _owner(source)
    if owner is None:
        return f"{kind} {metadata['namespace']}/{metadata['name']}"
    head = index.get((owner["kind"], metadata["namespace"], owner["name"]))
    return _workload(head, index) if head else f"{owner['kind']} {metadata['namespace']}/{owner['name']}"


def _short(message: str) -> str:
    message = " ".join(message.split())
    return message if len(message) <= 300 else f"{message[:300]}…"


def read(stack: str) -> list[Object]:
    """Pods, their owners and events in all namespaces in which the stack has objects, in the stack's own cluster.

    Raises ClusterError where the state or the cluster cannot be read.
    """
    exported = json.loads(_run("pulumi", "stack", "export", "--stack", stack))
    places: set[str] = set()
    for resource in exported["deployment"].get("resources") or []:
        metadata = (resource.get("inputs") or {}).get("metadata") or {}
        kind = (resource.get("inputs") or {}).get("kind")
        place = metadata.get("name") if kind == "Namespace" else metadata.get("namespace")
        if isinstance(place, str):
            places.add(place)
    settings = json.loads(_run("pulumi", "config", "--stack", stack, "--json"))
    # One at a time: the kubeconfig may be a secret, and the stack's other secrets are nobody's business here.
    config = {
        key: _run("pulumi", "config", "get", key, "--stack", stack).rstrip("\n")
        for key in ("kubernetes:context", "kubernetes:kubeconfig")
        if key in settings
    }
    flags = ["--context", config["kubernetes:context"]] if "kubernetes:context" in config else []
    found: list[Object] = []
    try:
        with kubeconfig(config) as file:
            flags += ["--kubeconfig", str(file)] if file else []
            for place in sorted(places):
                answer = _run("kubectl", *flags, "get", KINDS, "--namespace", place, "--output", "json")
                found += json.loads(answer)["items"]
    except UnansweredError as error:
        raise ClusterError(str(error)) from None
    return found


def _run(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ClusterError(f"{command[0]}: {error}") from None
    if done.returncode != 0:
        raise ClusterError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def told(stack: str, diagnoses: Sequence[Diagnosis]) -> str:
    """The diagnoses as text."""
    if not diagnoses:
        return f"{stack}: nothing is wrong with the pods of this stack, as far as its events and their states say\n"
    count = "1 thing is" if len(diagnoses) == 1 else f"{len(diagnoses)} things are"
    lines = [f"{stack}: {count} wrong"]
    for diagnosis in diagnoses:
        times = f" ({diagnosis.count} times)" if diagnosis.count > 1 else ""
        lines += ["", f"{diagnosis.workload}: {diagnosis.what}{times}", f"  {diagnosis.fix}"]
        if diagnosis.said:
            lines.append(f"  said: {diagnosis.said}")
    return "\n".join(lines) + "\n"
