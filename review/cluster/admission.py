"""Whether admission would accept the pods of a workload: Pod Security, LimitRanges, quotas, webhooks.

A preview does not run these checks: they apply to pods, which controllers create later.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from components.base.objects import Manifest, namespace_of, pod_templates, target, with_claims
from review import messages
from review.cluster.kubectl import Cluster, ClusterError
from review.cluster.report import reason
from review.messages import Message
from review.preview import Step, with_unknown
from review.symptoms import recognize

# Error of the API server → the kinds of objects that decide it.
_DECIDED_BY = (
    (re.compile(r"violates PodSecurity"), {"Namespace"}),
    (re.compile(r"(maximum|minimum) \S+ usage per |limit to request ratio per "), {"LimitRange"}),
    (re.compile(r"failed quota: "), {"ResourceQuota", "LimitRange"}),
)
_ENFORCE = "pod-security.kubernetes.io/enforce"


def check_admission(
    manifest: Manifest, steps: Sequence[Step], own: set[tuple[str, str]], cluster: Cluster
) -> Iterator[Message]:
    """Create the pods of a workload in a dry run, and report denials.

    ``own`` are kind and name of the stack's objects that the workload can reference.
    """
    namespace, name = namespace_of(manifest), target(manifest)
    for template in pod_templates(manifest):
        try:
            error = cluster.dry_run(_pod(template, manifest, own))
        except ClusterError as failure:
            yield messages.ADMISSION_NOT_CHECKED(target=name, reason=reason(failure))
            continue
        if error is not None:
            yield from _denial(name, namespace, error, steps)


def _pod(template: Manifest, workload: Manifest, own: set[tuple[str, str]]) -> Manifest:
    """A pod of the workload. References to objects that the change may create first are left out."""
    spec = dict(with_claims(template, workload))
    if ("ServiceAccount", spec.get("serviceAccountName", "")) in own:
        del spec["serviceAccountName"]
    if ("PriorityClass", spec.get("priorityClassName", "")) in own:
        del spec["priorityClassName"]
    metadata = template.get("metadata") or {}
    kept = {key: metadata[key] for key in ("labels", "annotations") if metadata.get(key)}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**kept, "generateName": "review-", "namespace": namespace_of(workload)},
        "spec": {"restartPolicy": "Always", **spec},
    }


def _denial(name: str, namespace: str, error: str, steps: Sequence[Step]) -> Iterator[Message]:
    if "exceeded quota" in error:  # it counts the pods that the change replaces; review.quotas computes the use instead
        return
    changed = _deciding_changes(error, namespace, steps)
    if "cannot create resource" in error:
        yield messages.ADMISSION_NOT_CHECKED(target=name, reason=messages.FORBIDDEN())
    elif changed:
        why = messages.DENIAL_MAY_CHANGE(changed=changed, reason=_meaning(error))
        yield messages.ADMISSION_NOT_CHECKED(target=name, reason=why)
    else:
        yield messages.ADMISSION_DENIED(target=name, reason=_meaning(error))


def _meaning(error: str) -> Message:
    error = error.removeprefix("Error from server (Forbidden): ").removeprefix("Error from server ")
    return recognize("FailedCreate", error) or messages.UNRECOGNIZED_DENIAL(error=error)


def _deciding_changes(error: str, namespace: str, steps: Iterable[Step]) -> str:
    """The objects that decide a denial and that the same change updates; empty if there are none.

    The API server decides by the objects that exist before the change.
    """
    kinds: set[str] = set().union(*(kinds for pattern, kinds in _DECIDED_BY if pattern.search(error)))
    found = []
    for step in steps:
        manifest: Manifest = with_unknown(step.manifest)
        if step.is_change and manifest["kind"] in kinds and _decides(step, manifest, namespace):
            found.append(target(manifest))
    return " and ".join(found)


def _decides(step: Step, manifest: Manifest, namespace: str) -> bool:
    if manifest["kind"] == "Namespace":
        same = bool(manifest["metadata"]["name"] == namespace)
        return same and _pod_security(step.before) != _pod_security(step.after)
    return namespace_of(manifest) == namespace


def _pod_security(manifest: Manifest | None) -> dict[str, Any]:
    """The Pod Security Standard that a Namespace enforces, and its version."""
    labels = ((manifest or {}).get("metadata") or {}).get("labels") or {}
    return {key: value for key, value in labels.items() if key.startswith(_ENFORCE)}
