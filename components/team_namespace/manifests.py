"""The objects of a TeamNamespace."""

from ..base.labels import MANAGED_BY
from ..base.registration import Manifest, annotated
from .args import TeamNamespaceArgs
from .image_registries import admission
from .network_policies import policies
from .rbac import roles

# Roles whose objects somebody else makes: Kubernetes the account, the namespace whoever had it first.
_ACCOUNT = "default-account"


_NAMESPACE = "namespace"


# What a team always has. The children are deleted in the order opposite to that of their making, and
# the last of them is among these: where it is protected, nothing of the team is deleted at all. A
# namespace that stays alone would have lost its quotas and policies.
_PROTECTED = {
    _NAMESPACE,
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
        "team": args.team or name,
        **({"owner": args.owner} if args.owner else {}),
        **({"cost-center": args.cost_center} if args.cost_center else {}),
    }
    of_all = annotated({"labels": labels}, args.annotations)
    metadata = {"namespace": namespace, **of_all}
    return {
        _NAMESPACE: _namespace(namespace, of_all, args),
        **{quota.role: quota.manifest(metadata) for quota in args.quotas(namespace)},
        "container-limits": args.limits().manifest({**metadata, "name": f"{namespace}-limits"}),
        _ACCOUNT: {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {**metadata, "name": "default"},
            # Pods that name no account of their own get no token for the Kubernetes API.
            "automountServiceAccountToken": False,
        },
        **roles(metadata, args.access),
        **(admission(of_all, namespace, args.registries) if args.registries else {}),
        **{f"queue-{queue}": _queue(queue, cluster_queue, metadata) for queue, cluster_queue in args.queues.items()},
        # Last: see _PROTECTED.
        **policies(metadata, args.network, serves=args.serves),
    }


def _namespace(namespace: str, metadata: Manifest, args: TeamNamespaceArgs) -> Manifest:
    pod_security = {
        f"pod-security.kubernetes.io/{mode}{suffix}": value
        for mode in ("enforce", "audit", "warn")
        for suffix, value in (("", args.pod_security), ("-version", args.pod_security_version))
    }
    own = {**metadata, "name": namespace, "labels": {**metadata["labels"], **args.labels, **pod_security}}
    # Labels that somebody else has set become the platform's.
    metadata = annotated(own, {"pulumi.com/patchForce": "true"} if args.adopt else {})
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def _queue(name: str, cluster_queue: str, metadata: Manifest) -> Manifest:
    return {
        "apiVersion": "kueue.x-k8s.io/v1beta1",
        "kind": "LocalQueue",
        "metadata": {**metadata, "name": name},
        "spec": {"clusterQueue": cluster_queue},
    }
