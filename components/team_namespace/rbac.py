"""What the people of a team may do in its namespace: Roles of the platform's own, bound to groups.

Kubernetes' own ``edit`` may delete NetworkPolicies and read every Secret; none of these may write
what rules the namespace: its quotas, limits, policies, labels. Whoever may create pods can mount
any Secret of the namespace into one: what a team must not know does not belong in its namespace.
"""

from typing import Annotated

from pydantic import AfterValidator, Field

from ..base.arguments import Arguments
from ..base.errors import refuse
from ..base.names import ObjectName
from ..base.registration import Manifest


def _group(name: str) -> str:
    if not name.strip():
        raise refuse("is empty: name a group of your identity provider")
    if name.startswith("system:"):
        raise refuse(f"{name!r} is a group of Kubernetes' own", "name a group of your identity provider")
    return name


Group = Annotated[str, AfterValidator(_group)]


class Access(Arguments):
    """Who may do what in the namespace, by groups of the cluster's identity provider."""

    viewers: list[Group] = Field(default=[], examples=[["ml-viewers"]])
    """See everything but Secrets, logs included."""

    developers: list[Group] = Field(default=[], examples=[["ml-developers"]])
    """Run workloads too: pods, jobs, deployments, services, configuration, and shells in pods.

    They create Secrets, and read or change only those in ``secrets``.
    """

    admins: list[Group] = Field(default=[], examples=[["ml-leads"]])
    """Read and write all Secrets too, and give others in the namespace what they have themselves."""

    secrets: list[ObjectName] = Field(default=[], examples=[["registry-credentials"]])
    """Secrets that developers read and change, by name."""


_READ = ["get", "list", "watch"]
_WRITE = ["create", "update", "patch", "delete", "deletecollection"]

_CONFIGURATION = ["configmaps", "persistentvolumeclaims", "serviceaccounts", "services"]
# API group → what developers write.
_WORKLOADS = {
    "": ["pods", *_CONFIGURATION],
    "apps": ["deployments", "deployments/scale", "statefulsets", "statefulsets/scale"],
    "autoscaling": ["horizontalpodautoscalers"],
    "batch": ["cronjobs", "jobs"],
    "jobset.x-k8s.io": ["jobsets"],
    "keda.sh": ["scaledobjects"],
    "policy": ["poddisruptionbudgets"],
    "resource.k8s.io": ["resourceclaims", "resourceclaimtemplates"],
}
# API group → what viewers see beside that.
_SURROUNDINGS = {
    "": ["endpoints", "events", "limitranges", "namespaces", "pods/log", "pods/status", "resourcequotas"],
    "apps": ["controllerrevisions", "replicasets"],
    "discovery.k8s.io": ["endpointslices"],
    "events.k8s.io": ["events"],
    "kueue.x-k8s.io": ["localqueues", "workloads"],
    "networking.k8s.io": ["ingresses", "networkpolicies"],
}


def _viewer() -> list[Manifest]:
    return [
        _rule(group, kinds, _READ)
        for kinds_by_group in (_WORKLOADS, _SURROUNDINGS)
        for group, kinds in kinds_by_group.items()
    ]


def _developer(access: Access) -> list[Manifest]:
    rules = [
        *_viewer(),
        *(_rule(group, kinds, _WRITE) for group, kinds in _WORKLOADS.items()),
        _rule("", ["pods/attach", "pods/exec", "pods/portforward"], ["create", "get"]),
        _rule("", ["pods/eviction"], ["create"]),
        _rule("", ["pods/ephemeralcontainers"], ["patch", "update"]),
        _rule("", ["secrets"], ["create"]),
    ]
    if access.secrets:
        rules.append({**_rule("", ["secrets"], ["get", "update", "patch", "delete"]), "resourceNames": access.secrets})
    return rules


def _admin(access: Access) -> list[Manifest]:
    # Kubernetes itself lets nobody give a right that they do not have.
    return [
        *_developer(access.model_copy(update={"secrets": []})),
        _rule("", ["secrets"], [*_READ, *_WRITE]),
        _rule("rbac.authorization.k8s.io", ["rolebindings", "roles"], [*_READ, *_WRITE]),
    ]


def _rule(group: str, resources: list[str], verbs: list[str]) -> Manifest:
    return {"apiGroups": [group], "resources": resources, "verbs": verbs}


def roles(metadata: Manifest, access: Access) -> dict[str, Manifest]:
    """The Roles and RoleBindings of a team, by role of the component; none for what nobody is."""
    found: dict[str, Manifest] = {}
    for name, groups, rules in (
        ("viewer", access.viewers, _viewer()),
        ("developer", access.developers, _developer(access)),
        ("admin", access.admins, _admin(access)),
    ):
        if not groups:
            continue
        own = {**metadata, "name": f"team-{name}"}
        api = "rbac.authorization.k8s.io"
        found[f"{name}-role"] = {"apiVersion": f"{api}/v1", "kind": "Role", "metadata": own, "rules": rules}
        found[f"{name}-binding"] = {
            "apiVersion": f"{api}/v1",
            "kind": "RoleBinding",
            "metadata": own,
            "roleRef": {"apiGroup": api, "kind": "Role", "name": own["name"]},
            "subjects": [{"apiGroup": api, "kind": "Group", "name": group} for group in groups],
        }
    return found
