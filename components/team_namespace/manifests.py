"""The objects of a TeamNamespace."""

from ..base.labels import MANAGED_BY
from ..base.objects import Manifest
from ..base.registration import annotated
from .args import TeamNamespaceArgs
from .image_registries import admission
from .network_policies import policies
from .rbac import roles

# Kubernetes creates the account; the namespace exists before if it is adopted.
ACCOUNT = "default-account"
NAMESPACE = "namespace"

# The roles that every team has. Children are deleted in reverse order of creation, and the last one is among these: if
# they are protected, nothing of the team is deleted. A namespace without its quotas and policies would be unprotected.
PROTECTED = {
    NAMESPACE,
    "quota",
    "other-priorities",
    "container-limits",
    "allow-dns",
    "allow-same-namespace",
    "default-deny",
}


def manifests(name: str, args: TeamNamespaceArgs) -> dict[str, Manifest]:
    """The objects of a TeamNamespace, by role."""
    namespace = args.name or name
    labels = {
        **MANAGED_BY,
        "team": args.team or namespace,
        **({"owner": args.owner} if args.owner else {}),
        **({"cost-center": args.cost_center} if args.cost_center else {}),
    }
    common = annotated({"labels": labels}, args.annotations)
    metadata = {"namespace": namespace, **common}
    return {
        NAMESPACE: _namespace(namespace, common, args),
        **{quota.role: quota.manifest(metadata) for quota in args.resource_quotas(namespace)},
        "container-limits": args.limits().manifest({**metadata, "name": f"{namespace}-limits"}),
        ACCOUNT: {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {**metadata, "name": "default"},
            # Pods without a service account get no token for the Kubernetes API.
            "automountServiceAccountToken": False,
        },
        **roles(metadata, args.access),
        **(admission(common, namespace, args.registries) if args.registries else {}),
        **{f"queue-{queue}": _queue(queue, cluster_queue, metadata) for queue, cluster_queue in args.queues.items()},
        # Last: see PROTECTED.
        **policies(metadata, args.network, serves=args.serves),
    }


def _namespace(namespace: str, metadata: Manifest, args: TeamNamespaceArgs) -> Manifest:
    pod_security = {
        f"pod-security.kubernetes.io/{mode}{suffix}": value
        for mode in ("enforce", "audit", "warn")
        for suffix, value in (("", args.pod_security), ("-version", args.pod_security_version))
    }
    own = {**metadata, "name": namespace, "labels": {**metadata["labels"], **args.labels, **pod_security}}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": own}


def _queue(name: str, cluster_queue: str, metadata: Manifest) -> Manifest:
    return {
        "apiVersion": "kueue.x-k8s.io/v1beta1",
        "kind": "LocalQueue",
        "metadata": {**metadata, "name": name},
        "spec": {"clusterQueue": cluster_queue},
    }
