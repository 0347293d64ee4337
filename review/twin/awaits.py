"""Whether the Pulumi Kubernetes provider would still wait for an object, and for how long it waits.

The rules are those of the provider's await logic, which a deployment depends on: a step begins when all resources that
it depends on are ready.
"""

from collections.abc import Callable, Mapping

from components.base.objects import Manifest
from review.twin.owners import condition, is_ready, wanted_pods

# Seconds.
_TIMEOUT = 600.0
_SKIP, _WAIT_FOR, _TIMEOUT_KEY = "pulumi.com/skipAwait", "pulumi.com/waitFor", "pulumi.com/timeoutSeconds"


def is_awaited(manifest: Manifest) -> bool:
    """Whether the provider waits for an object after it has created or updated it."""
    annotations = (manifest.get("metadata") or {}).get("annotations") or {}
    return manifest["kind"] in _READY and str(annotations.get(_SKIP, "")).lower() != "true"


def timeout(manifest: Manifest, timeouts: Mapping[str, float], operation: str) -> float:
    """The seconds after which the provider stops waiting, and the update fails."""
    annotations = (manifest.get("metadata") or {}).get("annotations") or {}
    try:
        return timeouts.get(operation) or float(annotations.get(_TIMEOUT_KEY) or _TIMEOUT)
    except ValueError:
        return _TIMEOUT


def is_done(manifest: Manifest, ready_endpoints: int, is_bound_later: bool = False) -> bool:
    """Whether the provider stops waiting for the current version of an object.

    ``is_bound_later`` is whether a claim is bound only when a pod uses it.
    """
    if manifest["kind"] == "Service":
        return _service(manifest, ready_endpoints)
    if manifest["kind"] == "PersistentVolumeClaim" and is_bound_later:
        return True
    rule = _READY.get(manifest["kind"])
    return rule is None or rule(manifest)


def _deployment(manifest: Manifest) -> bool:
    status, wanted = manifest.get("status") or {}, wanted_pods(manifest) or 0
    if not _observed(manifest):
        return False
    counts = [int(status.get(name) or 0) for name in ("updatedReplicas", "availableReplicas", "replicas")]
    return (manifest.get("spec") or {}).get("paused") is True or counts == [wanted] * 3


def _stateful_set(manifest: Manifest) -> bool:
    status, spec = manifest.get("status") or {}, manifest.get("spec") or {}
    if not _observed(manifest) or int(status.get("readyReplicas") or 0) != wanted_pods(manifest):
        return False
    strategy = spec.get("updateStrategy") or {}
    by_hand = strategy.get("type") == "OnDelete" or (strategy.get("rollingUpdate") or {}).get("partition")
    return bool(by_hand) or status.get("currentRevision") == status.get("updateRevision")


def _daemon_set(manifest: Manifest) -> bool:
    status, wanted = manifest.get("status") or {}, wanted_pods(manifest)
    by_hand = ((manifest.get("spec") or {}).get("updateStrategy") or {}).get("type") == "OnDelete"
    updated = by_hand or int(status.get("updatedNumberScheduled") or 0) == wanted
    return _observed(manifest) and updated and int(status.get("numberReady") or 0) == wanted


def _job(manifest: Manifest) -> bool:
    """Whether all pods of a job run: how long the job takes is not simulated."""
    status = manifest.get("status") or {}
    finished = any(condition(manifest, kind).get("status") == "True" for kind in ("Complete", "SuccessCriteriaMet"))
    waited_for = _WAIT_FOR in ((manifest.get("metadata") or {}).get("annotations") or {})
    running = int(status.get("ready") or 0) + int(status.get("succeeded") or 0)
    return finished or (waited_for and "startTime" in status) or running >= max(1, wanted_pods(manifest) or 0)


def _pod(manifest: Manifest) -> bool:
    return is_ready(manifest) or (manifest.get("status") or {}).get("phase") == "Succeeded"


def _claim(manifest: Manifest) -> bool:
    return (manifest.get("status") or {}).get("phase") == "Bound"


def _load_balanced(manifest: Manifest) -> bool:
    return bool(((manifest.get("status") or {}).get("loadBalancer") or {}).get("ingress"))


def _service(manifest: Manifest, ready_endpoints: int) -> bool:
    spec = manifest.get("spec") or {}
    if spec.get("type") == "LoadBalancer" and not _load_balanced(manifest):
        return False
    is_headless, is_external = spec.get("clusterIP") == "None", spec.get("type") == "ExternalName"
    return is_headless or is_external or not spec.get("selector") or ready_endpoints > 0


def _observed(manifest: Manifest) -> bool:
    observed = int((manifest.get("status") or {}).get("observedGeneration") or 0)
    return observed >= int(manifest["metadata"].get("generation") or 0)


_READY: Mapping[str, Callable[[Manifest], bool]] = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "Job": _job,
    "Pod": _pod,
    "PersistentVolumeClaim": _claim,
    "Ingress": _load_balanced,
    "Service": _load_balanced,
}
