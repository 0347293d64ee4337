"""Whether the pods of workloads would be admitted again, by server-side dry runs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from components.base.objects import WORKLOADS, Manifest, UnknownValueError, pod_templates, with_claims
from review.preview import Preview, Step, with_unknown
from review.twin.client import ApiError, Client
from review.twin.owners import Key, Owners, controller_of, key

# Objects that decide whether the pods of their namespace are admitted.
_NAMESPACED = {"ResourceQuota", "LimitRange", "ServiceAccount"}
# Objects that decide on the pods of all namespaces.
_CLUSTER_KINDS = {"PriorityClass", "RuntimeClass"}
_ADMISSION_GROUP = "admissionregistration.k8s.io"
# What admission and the scheduler set in a pod, and compute again for a new one.
_COMPUTED = ("nodeName", "priority", "preemptionPolicy", "serviceAccount", "ephemeralContainers")

QUOTA_EXCEEDED = "exceeded quota"


def affected(preview: Preview, objects: Sequence[Manifest]) -> list[Manifest]:
    """The workloads in a cluster that a change touches, or whose rules of admission it changes."""
    steps = [step for step in preview.steps if step.is_change]
    touched = {identity for step in steps if (identity := _identity(step)) is not None}
    names = {namespace for step in steps if (namespace := _ruled_namespace(step)) is not None}
    everywhere = any(_rules_all(step.manifest) for step in steps)
    owners = Owners(objects)
    return [
        one
        for one in objects
        if one["kind"] in WORKLOADS
        and owners.root(one) is one
        and controller_of(one) is None
        and (everywhere or key(one) in touched or one["metadata"].get("namespace") in names)
    ]


def _identity(step: Step) -> Key | None:
    try:
        return key(with_unknown(step.manifest))
    except (UnknownValueError, KeyError):
        return None


def _ruled_namespace(step: Step) -> str | None:
    """The namespace whose rules a step changes."""
    metadata, kind = step.manifest.get("metadata") or {}, step.manifest["kind"]
    found: Any = metadata.get("name") if kind == "Namespace" else metadata.get("namespace", "default")
    return found if kind in {*_NAMESPACED, "Namespace"} and isinstance(found, str) else None


def _rules_all(manifest: Manifest) -> bool:
    return manifest["kind"] in _CLUSTER_KINDS or str(manifest["apiVersion"]).startswith(f"{_ADMISSION_GROUP}/")


def denials(client: Client, workloads: Iterable[Manifest]) -> Mapping[Key, str]:
    """The workloads whose pods would be rejected now, with the error of the API server."""
    found: dict[Key, str] = {}
    for workload in workloads:
        for template in pod_templates(workload):
            try:
                client.create(_pod(template, workload), dry_run=True)
            except ApiError as error:
                found[key(workload)] = str(error)
    return found


def _pod(template: Manifest, workload: Manifest) -> Manifest:
    """A new pod of a workload."""
    metadata = template.get("metadata") or {}
    kept = {name: metadata[name] for name in ("labels", "annotations") if metadata.get(name)}
    spec = {name: value for name, value in with_claims(template, workload).items() if name not in _COMPUTED}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**kept, "generateName": "restart-", "namespace": workload["metadata"]["namespace"]},
        "spec": spec,
    }
