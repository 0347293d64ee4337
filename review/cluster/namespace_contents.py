"""The objects in a namespace that are deleted with it."""

from collections.abc import Iterable, Iterator

from components.base.objects import Manifest, known_namespace_of
from components.base.ownership import OWNER
from review import messages
from review.cluster.kubectl import Cluster, ClusterError
from review.cluster.other_pods import is_owned
from review.cluster.report import reason
from review.messages import Message, counted
from review.preview import Preview, Step, with_unknown

# What may be lost. Objects that Kubernetes creates in every namespace, or that an owner recreates, are left out.
_KINDS = "pods,persistentvolumeclaims,deployments,statefulsets,jobs,services,configmaps"
_GENERATED = {("ConfigMap", "kube-root-ca.crt")}


def check_namespace_contents(preview: Preview, cluster: Cluster) -> Iterator[Message]:
    """Report what a deleted namespace contains besides the objects of the stack."""
    before = preview.manifests(after=False)
    for step in preview.steps:
        name = _deleted_namespace(step)
        if name is None:
            continue
        own = [manifest for manifest in before if known_namespace_of(manifest) == name]
        try:
            items = (cluster.get(_KINDS, namespace=name) or {"items": []})["items"]
        except ClusterError as error:
            yield messages.NAMESPACE_CONTENTS_NOT_CHECKED(namespace=name, reason=reason(error))
            continue
        others = [item for item in items if not _belongs_to(item, own)]
        if others:
            yield messages.NAMESPACE_CONTENTS(namespace=name, contents="; ".join(_listed(others)))


def _deleted_namespace(step: Step) -> str | None:
    if step.op not in {"delete", "replace"} or step.before is None or step.before["kind"] != "Namespace":
        return None
    return str(with_unknown(step.before)["metadata"]["name"])


def _belongs_to(item: Manifest, own: Iterable[Manifest]) -> bool:
    metadata = item["metadata"]
    if (item["kind"], metadata["name"]) in _GENERATED:
        return True
    if item["kind"] == "Pod":
        return is_owned(item, own)
    names = {(manifest["kind"], manifest["metadata"].get("name")) for manifest in own}
    # A controller recreates what it owns.
    return (item["kind"], metadata["name"]) in names or bool(metadata.get("ownerReferences"))


def _listed(items: Iterable[Manifest]) -> Iterator[str]:
    by_kind: dict[str, list[str]] = {}
    for item in items:
        owner = (item["metadata"].get("annotations") or {}).get(OWNER)
        by_kind.setdefault(item["kind"], []).append(item["metadata"]["name"] + (f" (of {owner})" if owner else ""))
    for kind, names in sorted(by_kind.items()):
        if kind == "Pod":
            yield counted(len(names), "pod")
        else:
            data = " with their data" if kind == "PersistentVolumeClaim" else ""
            yield f"{kind} {', '.join(sorted(names))}{data}"
