"""Whether the cluster serves the kinds of the objects that a change creates or updates."""

from collections.abc import Iterable, Iterator, Sequence

from components.base.objects import Manifest
from review import messages
from review.cluster.kubectl import Cluster, ClusterError
from review.cluster.report import reason
from review.messages import Message


def check_kinds(changed: Iterable[Manifest], after: Sequence[Manifest], cluster: Cluster) -> Iterator[Message]:
    """Report kinds that are neither served nor defined by a CustomResourceDefinition of the stack."""
    defined = {
        (f"{crd['spec']['group']}/{version['name']}", crd["spec"]["names"]["kind"])
        for crd in after
        if crd["kind"] == "CustomResourceDefinition"
        for version in crd["spec"]["versions"]
    }
    for version, kind in sorted({(manifest["apiVersion"], manifest["kind"]) for manifest in changed} - defined):
        try:
            if kind not in (cluster.kinds(version) or {}):
                yield messages.KIND_NOT_SERVED(kind=kind, version=version)
        except ClusterError as error:
            yield messages.KIND_NOT_CHECKED(kind=kind, version=version, reason=reason(error))
