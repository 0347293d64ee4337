"""Whose pods are whose."""

import re
from collections.abc import Iterable

from components.base.objects import UNKNOWN, Manifest


def made_by(pod: Manifest, manifests: Iterable[Manifest]) -> bool:
    """Whether a pod is one of some objects of its namespace, or was made for one of them."""
    names = ((manifest["kind"], manifest["metadata"].get("name", UNKNOWN)) for manifest in manifests)
    return not _makers(pod).isdisjoint({(kind, name) for kind, name in names if name is not UNKNOWN})


def _makers(pod: Manifest) -> set[tuple[str, str]]:
    """Kind and name of what may have made a pod: its controller, and what the name of that is made of."""
    metadata = pod["metadata"]
    labels = metadata.get("labels") or {}
    owner = next((one for one in metadata.get("ownerReferences") or [] if one.get("controller")), None)
    if owner is None:
        return {("Pod", metadata["name"])}
    kind, name = owner["kind"], owner["name"]
    found = {(kind, name)}
    if kind == "ReplicaSet":  # DEPLOYMENT-HASH
        found.add(("Deployment", name.removesuffix(f"-{labels.get('pod-template-hash', '')}")))
    if kind == "Job":  # CRONJOB-MINUTES, where minutes are those since 1970
        found.add(("CronJob", re.sub(r"-[0-9]{8,}$", "", name)))
        found.add(("JobSet", labels.get("jobset.sigs.k8s.io/jobset-name", "")))
    return found
