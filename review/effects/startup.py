"""The startup time of running pods against the budget of new probes and deadlines."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from components.base.objects import Manifest, containers, pod_templates, target
from review import effect_messages as messages
from review.effects.world import Key, World, changed, controller_of, key_of
from review.messages import Message

# Seconds. Timestamps have a resolution of one second, and a pod without probes is ready at once.
_RESOLUTION = 1


def startup(old: World, new: World, live: Sequence[Manifest]) -> Iterator[Message]:
    """Report containers that the kubelet would restart before they have started."""
    started: dict[tuple[Key, str], float] | None = None
    for key, before, after in changed(old, new):
        if before is None or after is None:
            continue
        if started is None:
            started = measured(live)
        for old_template, template in zip(pod_templates(before), pod_templates(after), strict=False):
            yield from _template(key, after, old_template.get("spec") or {}, template.get("spec") or {}, started)
        yield from _deadline(key, before, after, started)


def _template(
    key: Key, manifest: Manifest, before: Manifest, after: Manifest, started: dict[tuple[Key, str], float]
) -> Iterator[Message]:
    earlier = {container.get("name"): container for container in containers(before)}
    for container in after.get("containers") or []:
        name = container.get("name")
        budget, budget_before = startup_budget(container), startup_budget(earlier.get(name) or {})
        if budget is None or (budget_before is not None and budget >= budget_before):
            continue
        seconds = started.get((key, str(name)))
        values = {"target": target(manifest), "container": name, "budget": budget}
        if seconds is not None and seconds > budget:
            yield messages.STARTUP_BUDGET_EXCEEDED(**values, measured=round(seconds))
        elif seconds is None and _loses_startup_probe(earlier.get(name) or {}, container):
            yield messages.STARTUP_PROBE_REMOVED(**values, before=budget_before)


def _loses_startup_probe(before: Manifest, after: Manifest) -> bool:
    return bool(before.get("startupProbe")) and not after.get("startupProbe")


def startup_budget(container: Manifest) -> int | None:
    """The seconds that a container has to start before it is restarted; None if there is no bound."""
    probe = container.get("startupProbe") or container.get("livenessProbe")
    if not probe:
        return None
    period, failures = probe.get("periodSeconds") or 10, probe.get("failureThreshold") or 3
    return int((probe.get("initialDelaySeconds") or 0) + period * failures)


def _deadline(key: Key, before: Manifest, after: Manifest, started: dict[tuple[Key, str], float]) -> Iterator[Message]:
    """Report a progress deadline that is shorter than the startup of a pod."""
    if key.kind != "Deployment":
        return
    deadline, earlier = (
        int((manifest.get("spec") or {}).get("progressDeadlineSeconds") or 600) for manifest in (after, before)
    )
    seconds = max((value for (owner, _), value in started.items() if owner == key), default=0)
    if deadline < earlier and seconds > deadline:
        yield messages.DEADLINE_EXCEEDED(target=target(after), deadline=deadline, measured=round(seconds))


def measured(live: Sequence[Manifest]) -> dict[tuple[Key, str], float]:
    """Workload and container → the seconds between the start of the container and the readiness of its pod.

    It is the minimum of all pods: what even the fastest one exceeds is too short.
    """
    owners = {key: controller_of(manifest) for manifest in live if (key := key_of(manifest))}
    found: dict[tuple[Key, str], float] = {}
    for pod in live:
        key = key_of(pod)
        if pod["kind"] != "Pod" or key is None:
            continue
        workload = key
        while (owner := owners.get(workload)) is not None:
            workload = owner
        status: dict[str, Any] = pod.get("status") or {}
        ready = _ready(status)
        for container in status.get("containerStatuses") or []:
            begun = ((container.get("state") or {}).get("running") or {}).get("startedAt")
            if ready and begun and not container.get("restartCount"):
                seconds = (_time(ready) - _time(begun)).total_seconds()
                if seconds > _RESOLUTION:
                    name = (workload, str(container["name"]))
                    found[name] = min(seconds, found.get(name, seconds))
    return found


def _ready(status: Manifest) -> str | None:
    """When a pod has become ready."""
    for condition in status.get("conditions") or []:
        if condition.get("type") == "Ready" and condition.get("status") == "True":
            since: str | None = condition.get("lastTransitionTime")
            return since
    return None


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
