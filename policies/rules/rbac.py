"""Rules about who may do what."""

from collections.abc import Iterator

from components.base.objects import Manifest
from policies.rule import of_objects

_BINDINGS = ("RoleBinding", "ClusterRoleBinding")
_ROLES = ("Role", "ClusterRole")


@of_objects(
    "no-cluster-admin",
    "cluster-admin reads every team's Secrets and can undo every rule",
    "bind a role with the rights that are needed: a team's viewers, developers or admins",
    _BINDINGS,
)
def _no_cluster_admin(binding: Manifest) -> Iterator[str]:
    if binding["roleRef"]["name"] == "cluster-admin":
        yield "binds cluster-admin"


@of_objects(
    "no-binding-to-everyone",
    "whoever reaches the API server, or has any account, would have these rights",
    "name the users, groups or service accounts that need it",
    _BINDINGS,
)
def _no_binding_to_everyone(binding: Manifest) -> Iterator[str]:
    everyone = ("system:anonymous", "system:unauthenticated", "system:authenticated", "system:serviceaccounts")
    for subject in binding.get("subjects") or []:
        if subject["name"] in everyone:
            yield f"gives rights to {subject['name']}"


@of_objects(
    "no-wildcard-rights",
    "a wildcard also gives the rights to what is installed tomorrow",
    "list the verbs and resources that are needed",
    _ROLES,
)
def _no_wildcard_rights(role: Manifest) -> Iterator[str]:
    for rule in role.get("rules") or []:
        for part in ("verbs", "resources", "apiGroups"):
            if "*" in (rule.get(part) or []):
                yield f"gives rights to all {part}"


@of_objects(
    "no-rights-to-more-rights",
    "who may escalate, bind or impersonate can give themselves any right",
    "remove the verbs escalate, bind and impersonate",
    _ROLES,
)
def _no_rights_to_more_rights(role: Manifest) -> Iterator[str]:
    for rule in role.get("rules") or []:
        found = [verb for verb in ("escalate", "bind", "impersonate") if verb in (rule.get("verbs") or [])]
        if found:
            yield f"gives the right to {' and '.join(found)}"
