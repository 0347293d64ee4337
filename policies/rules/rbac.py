"""Rules for roles and their bindings."""

from collections.abc import Iterator

from components.base.objects import Manifest
from policies.rule import Violation, object_rule, violation

_BINDINGS = ("RoleBinding", "ClusterRoleBinding")
_ROLES = ("Role", "ClusterRole")


@object_rule(
    "no-cluster-admin",
    "the role cluster-admin can read every team's Secrets and change every object of the cluster",
    "bind a role with the required permissions: the viewers, developers or admins of a team",
    _BINDINGS,
)
def _no_cluster_admin(binding: Manifest) -> Iterator[Violation]:
    if binding["roleRef"]["name"] == "cluster-admin":
        yield violation("binds cluster-admin")


@object_rule(
    "no-binding-to-everyone",
    "every client that reaches the API server, or every account, would have these permissions",
    "bind the users, groups or ServiceAccounts that need them",
    _BINDINGS,
)
def _no_binding_to_everyone(binding: Manifest) -> Iterator[Violation]:
    everyone = ("system:anonymous", "system:unauthenticated", "system:authenticated", "system:serviceaccounts")
    for subject in binding.get("subjects") or []:
        if subject["name"] in everyone:
            yield violation("grants permissions to {subject}", subject=subject["name"])


@object_rule(
    "no-wildcard-rights",
    "a wildcard includes verbs and resources that are added to the cluster later",
    "list the required verbs and resources",
    _ROLES,
)
def _no_wildcard_rights(role: Manifest) -> Iterator[Violation]:
    for rule in role.get("rules") or []:
        for part in ("verbs", "resources", "apiGroups"):
            if "*" in (rule.get(part) or []):
                yield violation("grants permissions for all {part}", part=part)


@object_rule(
    "no-rights-to-more-rights",
    "the verbs escalate, bind and impersonate allow a subject to grant itself any permission",
    "remove the verbs escalate, bind and impersonate",
    _ROLES,
)
def _no_rights_to_more_rights(role: Manifest) -> Iterator[Violation]:
    for rule in role.get("rules") or []:
        found = [verb for verb in ("escalate", "bind", "impersonate") if verb in (rule.get("verbs") or [])]
        if found:
            yield violation("grants {verbs}", verbs=" and ".join(found))
