"""Whether the cluster has nodes for the pods of a workload: by node selector and taints."""

from collections.abc import Iterator, Sequence

from components.base.objects import Manifest, pod_templates, target
from review import messages
from review.cluster.kubectl import Cluster, ClusterError
from review.cluster.report import reason
from review.messages import Message


def check_nodes(manifest: Manifest, cluster: Cluster) -> Iterator[Message]:
    """Warn if no node fits. That is not a problem as such: the node pool may be scaled to zero."""
    name = target(manifest)
    for template in pod_templates(manifest):
        selector = template["spec"].get("nodeSelector") or {}
        if not selector:
            continue
        try:
            nodes = cluster.get("nodes")["items"]
        except ClusterError as error:
            yield messages.NODES_NOT_CHECKED(target=name, reason=reason(error))
            continue
        selected = [node for node in nodes if selector.items() <= (node["metadata"].get("labels") or {}).items()]
        labels = ", ".join(f"{key}={value}" for key, value in selector.items())
        tolerations = template["spec"].get("tolerations") or []
        if not selected:
            yield messages.NODE_LABELS_NOT_FOUND(target=name, labels=labels)
        elif not any(tolerates_all(tolerations, node) for node in selected):
            yield messages.TAINT_NOT_TOLERATED(target=name, labels=labels)


def tolerates_all(tolerations: Sequence[Manifest], node: Manifest) -> bool:
    """Whether tolerations match all taints of a node that keep pods away."""
    taints = [taint for taint in node["spec"].get("taints") or [] if taint["effect"] in {"NoSchedule", "NoExecute"}]
    return all(any(_tolerates(toleration, taint) for toleration in tolerations) for taint in taints)


def _tolerates(toleration: Manifest, taint: Manifest) -> bool:
    if toleration.get("effect") not in (None, "", taint["effect"]):
        return False
    if toleration.get("key") not in (None, "", taint["key"]):
        return False
    return toleration.get("operator") == "Exists" or toleration.get("value", "") == taint.get("value", "")
