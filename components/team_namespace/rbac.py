"""Access to a team's namespace: Roles that are bound to groups.

The built-in ``edit`` role may delete NetworkPolicies and read every Secret. None of these roles may write the quotas,
limits, policies and labels of the namespace. A user who may create pods can mount any Secret of the namespace: keep
secrets that the team must not read out of it.
"""

from typing import Annotated

from pydantic import AfterValidator, Field

from ..base.arguments import Arguments
from ..base.error_table import GROUP_RESERVED, LENGTH
from ..base.names import ObjectName
from ..base.objects import Manifest


def _group(name: str) -> str:
    if not name.strip():
        raise LENGTH(bound="at least 1 character", got="")
    if name.startswith("system:"):
        raise GROUP_RESERVED(name=name)
    return name


Group = Annotated[str, AfterValidator(_group)]
"""The name of a group, as the cluster's identity provider reports it."""


class Access(Arguments):
    """Access to the namespace, by groups of the cluster's identity provider. Updatable in place."""

    viewers: list[Group] = Field(default=[], examples=[["ml-viewers"]])
    """Read everything except Secrets, including logs."""

    developers: list[Group] = Field(default=[], examples=[["ml-developers"]])
    """Also create, update and delete workloads, Services and ConfigMaps, and run commands in pods.

    They may create Secrets, and read and update only those in ``secrets``.
    """

    admins: list[Group] = Field(default=[], examples=[["ml-leads"]])
    """Also read and write all Secrets, and grant permissions in the namespace that they have themselves."""

    secrets: list[ObjectName] = Field(default=[], examples=[["registry-credentials"]])
    """The names of the Secrets that developers may read and update."""


_READ = ["get", "list", "watch"]
_WRITE = ["create", "update", "patch", "delete", "deletecollection"]

_CONFIGURATION = ["configmaps", "persistentvolumeclaims", "serviceaccounts", "services"]
# API group → the resources that developers may write.
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
# API group → the other resources that viewers may read.
_READ_ONLY = {
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
        for kinds_by_group in (_WORKLOADS, _READ_ONLY)
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
    # Kubernetes prevents users from granting permissions that they do not have.
    return [
        *_developer(access.model_copy(update={"secrets": []})),
        _rule("", ["secrets"], [*_READ, *_WRITE]),
        _rule("rbac.authorization.k8s.io", ["rolebindings", "roles"], [*_READ, *_WRITE]),
    ]


def _rule(group: str, resources: list[str], verbs: list[str]) -> Manifest:
    return {"apiGroups": [group], "resources": resources, "verbs": verbs}


def roles(metadata: Manifest, access: Access) -> dict[str, Manifest]:
    """The Roles and RoleBindings of a team, by role of the component; none for a list without groups."""
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
