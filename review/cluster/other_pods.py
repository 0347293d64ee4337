"""Pods that do not belong to the stack, but use its quotas."""

import re
from collections.abc import Iterable, Sequence

from components.base.objects import UNKNOWN, Manifest, known_namespace_of
from review import messages
from review.cluster.kubectl import Cluster, ClusterError
from review.cluster.report import reason
from review.messages import Message
from review.preview import Preview


def other_pods(
    changed: Iterable[Manifest], preview: Preview, cluster: Cluster
) -> tuple[Sequence[Manifest], Sequence[Message]]:
    """The pods of others, in namespaces with a quota of the stack that the change affects; and notes."""
    before, after = preview.manifests(after=False), preview.manifests(after=True)
    affected = {known_namespace_of(manifest) for manifest in changed}
    limited = {known_namespace_of(quota) for quota in after if quota["kind"] == "ResourceQuota"}
    found: list[Manifest] = []
    notes: list[Message] = []
    for namespace in sorted(namespace for namespace in affected & limited if namespace is not None):
        # The pods of the stack before and after the change are counted from its manifests.
        own = [manifest for manifest in (*before, *after) if known_namespace_of(manifest) == namespace]
        try:
            pods = (cluster.get("pods", namespace=namespace) or {"items": []})["items"]
        except ClusterError as error:
            notes.append(messages.OTHER_PODS_NOT_CHECKED(namespace=namespace, reason=reason(error)))
            continue
        for pod in pods:
            finished = (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}
            if not finished and not is_owned(pod, own):
                found.append(pod)
    return found, notes


def is_owned(pod: Manifest, manifests: Iterable[Manifest]) -> bool:
    """Whether a pod is one of the objects of its namespace, or is owned by one of them."""
    names = ((manifest["kind"], manifest["metadata"].get("name", UNKNOWN)) for manifest in manifests)
    return not _owners(pod).isdisjoint({(kind, name) for kind, name in names if name is not UNKNOWN})


def _owners(pod: Manifest) -> set[tuple[str, str]]:
    """Kind and name of the possible owners of a pod: its controller, and those that its name and labels indicate."""
    metadata = pod["metadata"]
    labels = metadata.get("labels") or {}
    owner = next((one for one in metadata.get("ownerReferences") or [] if one.get("controller")), None)
    if owner is None:
        return {("Pod", metadata["name"])}
    kind, name = owner["kind"], owner["name"]
    found = {(kind, name)}
    if kind == "ReplicaSet":  # DEPLOYMENT-HASH
        found.add(("Deployment", name.removesuffix(f"-{labels.get('pod-template-hash', '')}")))
    if kind == "Job":  # CRONJOB-MINUTES, in minutes since 1970
        found.add(("CronJob", re.sub(r"-[0-9]{8,}$", "", name)))
        found.add(("JobSet", labels.get("jobset.sigs.k8s.io/jobset-name", "")))
    return found
