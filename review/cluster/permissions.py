"""Whether the user has the permissions that the deployment of a change requires."""

from collections.abc import Iterable, Iterator

from review import messages
from review.cluster.kubectl import Cluster, ClusterError
from review.cluster.report import reason
from review.messages import Message
from review.preview import Step, with_unknown

# The provider creates objects with server-side apply.
_VERBS = {"create": ("create", "patch"), "update": ("patch",), "delete": ("delete",), "replace": ("create", "delete")}


def check_permissions(steps: Iterable[Step], cluster: Cluster) -> Iterator[Message]:
    """Report permissions that this user does not have.

    A user who has none of them is a reviewer, and the deployment runs as another user: that is a note.
    """
    required: dict[tuple[str, ...], dict[str, str]] = {}
    for step in steps:
        if not step.is_change:
            continue
        version, kind = step.manifest["apiVersion"], step.manifest["kind"]
        try:
            resource, namespaced = (cluster.kinds(version) or {}).get(kind, ("", False))
        except ClusterError as error:
            yield messages.PERMISSION_NOT_CHECKED(kind=kind, version=version, reason=reason(error))
            continue
        metadata = with_unknown(step.manifest.get("metadata") or {})
        namespace = metadata.get("namespace") if namespaced else ""
        for verb in _VERBS.get(step.op, ()) if resource and isinstance(namespace, str) else ():
            group = version.rpartition("/")[0]
            required[verb, group, resource, namespace] = {
                "verb": verb, "group": group, "resource": resource, "namespace": namespace,
            }  # fmt: skip
    try:
        denied = cluster.denied(list(required.values()))
    except ClusterError as error:
        yield messages.PERMISSIONS_NOT_CHECKED(reason=reason(error))
        return
    if denied and len(denied) == len(required):
        yield messages.PERMISSIONS_NOT_CHECKED(reason=messages.READ_ONLY_USER())
        return
    for permission in denied:
        scope = f"the namespace {permission['namespace']}" if permission.get("namespace") else "the cluster"
        yield messages.PERMISSION_DENIED(verb=permission["verb"], resource=permission["resource"], scope=scope)
