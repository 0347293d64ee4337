"""Simulated time: how long pods take to become ready, and how much faster the twin runs.

kwok makes a pod ready, or removes it, after the duration in an annotation. A MutatingAdmissionPolicy of the twin sets
the annotation when a pod is created. Pod templates stay as they are: a changed template would be a rollout.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Any

from components.base.objects import (
    Manifest,
    UnknownValueError,
    containers,
    int_or_percent,
    known_namespace_of,
    pod_templates,
)
from review.preview import with_unknown
from review.twin.owners import Owners, condition, controller_of, key

READY_AFTER = "twin.ml-platform/ready-after"
GONE_AFTER = "twin.ml-platform/gone-after"

_NAME = "twin-pod-timing"
# Seconds that a pod without a measured startup time and without a startup probe takes to become ready.
_STARTUP = 5.0
# Seconds that any pod takes. On simulated nodes, no time passes before it is ready.
_FASTEST = 1.0
# Seconds that a process takes to exit after SIGTERM.
_EXIT = 1.0
# Real seconds: the time for the longest rollout, and the least time for one pod. Controllers react in about 0.1 s.
_ROLLOUT, _POD = 2.5, 0.4
_LONGEST = 2.0
_SLEEP = re.compile(r"\bsleep\s+([0-9]+(?:\.[0-9]+)?)")

Name = tuple[str, str, str]
"""Namespace, kind and name of a workload."""


@dataclass(frozen=True)
class Timing:
    """The durations of pods in simulated seconds, and the scale of the simulation."""

    startup: Mapping[Name, float] = field(default_factory=dict)
    """How long the pods of a workload take to become ready."""

    shutdown: Mapping[Name, float] = field(default_factory=dict)
    """How long they take to terminate."""

    scale: float = 1.0
    """Simulated seconds per real second."""

    def scaled(self, manifest: Manifest) -> Manifest:
        """An object with durations in real seconds that its controller waits for.

        Objects that are restored and objects of the change must both be scaled: a difference would be a change.
        """
        minimum = (manifest.get("spec") or {}).get("minReadySeconds")
        if not isinstance(minimum, int):
            return manifest
        return {**manifest, "spec": {**manifest["spec"], "minReadySeconds": round(minimum / self.scale)}}

    def real(self, simulated: float) -> str:
        """A simulated duration as a real one, as kwok reads it. Slow workloads that do not change are cut short."""
        return f"{max(1, round(min(simulated / self.scale, _LONGEST) * 1000))}ms"

    def objects(self) -> list[Manifest]:
        """The objects that set the annotations: the durations, the policy and its binding."""
        data = {"ready.default": self.real(_STARTUP), "gone.default": self.real(_EXIT)}
        for prefix, durations in (("ready", self.startup), ("gone", self.shutdown)):
            data |= {f"{prefix}.{'.'.join(name)}": self.real(seconds) for name, seconds in durations.items()}
        return [
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": _NAME, "namespace": "kube-system"},
                "data": data,
            },
            {
                "apiVersion": _ADMISSION,
                "kind": "MutatingAdmissionPolicy",
                "metadata": {"name": _NAME},
                "spec": _POLICY,
            },
            {
                "apiVersion": _ADMISSION,
                "kind": "MutatingAdmissionPolicyBinding",
                "metadata": {"name": _NAME},
                "spec": {
                    "policyName": _NAME,
                    "paramRef": {"name": _NAME, "namespace": "kube-system", "parameterNotFoundAction": "Allow"},
                },
            },
        ]


_ADMISSION = "admissionregistration.k8s.io/v1"
_RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
_OWNER = "object.metadata.?ownerReferences.orValue([]).filter(o, o.?controller.orValue(false))"
# A ReplicaSet of a Deployment has the name of the Deployment and the hash of the pod template.
_WORKLOAD = """
size(variables.owner) == 0 ? 'Pod.' + object.metadata.?name.orValue('')
: variables.hash != '' && variables.owner[0].name.endsWith('-' + variables.hash)
? 'Deployment.' + variables.owner[0].name.substring(0, size(variables.owner[0].name) - size(variables.hash) - 1)
: variables.owner[0].kind + '.' + variables.owner[0].name
"""


def _looked_up(prefix: str) -> str:
    entry = f"'{prefix}.' + request.namespace + '.' + variables.workload"
    return f"({entry}) in params.data ? params.data[{entry}] : params.data['{prefix}.default']"


_POLICY: Manifest = {
    "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
    "matchConstraints": {"resourceRules": [_RULE]},
    "failurePolicy": "Ignore",
    "reinvocationPolicy": "Never",
    "variables": [
        {"name": "owner", "expression": _OWNER},
        {"name": "hash", "expression": "object.metadata.?labels['pod-template-hash'].orValue('')"},
        {"name": "workload", "expression": _WORKLOAD},
    ],
    "mutations": [
        {
            "patchType": "ApplyConfiguration",
            "applyConfiguration": {
                "expression": "Object{metadata: Object.metadata{annotations: {"
                f"'{READY_AFTER}': {_looked_up('ready')}, '{GONE_AFTER}': {_looked_up('gone')}"
                "}}}"
            },
        }
    ],
}


def timing(objects: Sequence[Manifest], changed: Sequence[Manifest]) -> Timing:
    """The timing of a cluster's workloads before a change, and of those that it creates or updates."""
    changed = [with_unknown(one) for one in changed]
    measured = dict(_measured(objects))
    startup: dict[Name, float] = dict(measured)
    shutdown: dict[Name, float] = {}
    longest = _STARTUP
    rollout = _STARTUP
    for manifest in (*objects, *changed):
        for name, template in _templates(manifest):
            startup.setdefault(name, _budget(template))
            shutdown[name] = _shutdown(template)
    for manifest in changed:
        for name, template in _templates(manifest):
            if name not in measured:
                startup[name] = _budget(template)
            longest = max(longest, startup[name])
            rollout = max(rollout, startup[name] * _waves(manifest))
    scale = min(rollout / _ROLLOUT, longest / _POD)
    return Timing(startup, shutdown, max(1.0, scale))


def _templates(manifest: Manifest) -> Iterator[tuple[Name, Manifest]]:
    """The pod templates of a workload, except those with unknown values, and those that a controller has copied."""
    if controller_of(manifest) is not None:
        return
    try:
        namespace, name = known_namespace_of(manifest), str(manifest["metadata"].get("name"))
        for template in pod_templates(manifest):
            if namespace is not None and template.get("spec"):
                yield (namespace, manifest["kind"], name), template["spec"]
    except UnknownValueError:
        return


def _measured(objects: Iterable[Manifest]) -> Iterator[tuple[Name, float]]:
    """The median of the startup times of each workload's pods. A container that was restarted is not counted."""
    owners = Owners(objects)
    times: dict[Name, list[float]] = {}
    for pod in owners.of_kind("Pod"):
        status = pod.get("status") or {}
        ready = condition(pod, "Ready")
        restarted = any(one.get("restartCount") for one in status.get("containerStatuses") or [])
        if ready.get("status") == "True" and "startTime" in status and not restarted:
            taken = (_time(ready["lastTransitionTime"]) - _time(status["startTime"])).total_seconds()
            _, kind, namespace, name = key(owners.root(pod))
            times.setdefault((namespace, kind, name), []).append(max(_FASTEST, taken))
    for workload, taken_by_pods in times.items():
        yield workload, median(taken_by_pods)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _budget(spec: Manifest) -> float:
    """The time that the probes of a pod give it to become ready."""
    try:
        return max(_STARTUP, *(_probes(container) for container in containers(spec)))
    except (UnknownValueError, TypeError):
        return _STARTUP


def _probes(container: Manifest) -> float:
    startup, readiness = container.get("startupProbe"), container.get("readinessProbe") or {}
    initial = float(readiness.get("initialDelaySeconds") or 0)
    if not startup:
        return initial
    attempts = int(startup.get("failureThreshold") or 3) * int(startup.get("periodSeconds") or 10)
    return initial + float(startup.get("initialDelaySeconds") or 0) + attempts


def _shutdown(spec: Manifest) -> float:
    """The time that a pod takes to terminate: its preStop hooks, within the grace period."""
    try:
        longest = max((_pre_stop(container) for container in containers(spec)), default=0.0)
        grace = spec.get("terminationGracePeriodSeconds")
        return min(longest + _EXIT, 30.0 if grace is None else float(grace))
    except (UnknownValueError, TypeError):
        return _EXIT


def _pre_stop(container: Manifest) -> float:
    hook: Mapping[str, Any] = (container.get("lifecycle") or {}).get("preStop") or {}
    if hook.get("sleep"):
        return float(hook["sleep"].get("seconds") or 0)
    match = _SLEEP.search(" ".join((hook.get("exec") or {}).get("command") or []))
    return float(match[1]) if match else 0.0


def _waves(manifest: Manifest) -> int:
    """The number of steps in which a rollout replaces the pods of a workload."""
    spec = manifest.get("spec") or {}
    try:
        replicas = int(1 if spec.get("replicas") is None else spec["replicas"])
        if manifest["kind"] == "StatefulSet":
            return max(1, replicas)
        if manifest["kind"] != "Deployment":
            return 1
        rolling = (spec.get("strategy") or {}).get("rollingUpdate") or {}
        surge = int_or_percent(rolling.get("maxSurge", "25%"), replicas, round_up=True)
        unavailable = int_or_percent(rolling.get("maxUnavailable", "25%"), replicas, round_up=False)
        return max(1, math.ceil(replicas / max(1, surge + unavailable)))
    except (UnknownValueError, ValueError):
        return 1
