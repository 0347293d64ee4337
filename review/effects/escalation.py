"""Permissions that need attention: those that lead to more permissions, and those that running pods lose."""

from collections.abc import Iterator, Sequence

from review import effect_messages as messages
from review.effects.rights import Right, RightsChange, Subject, summaries
from review.effects.world import World
from review.messages import Message

# The permissions that Kubernetes' documentation lists as risks of escalation (RBAC good practices), by API group,
# resource and verbs. ``*`` as a verb stands for any.
_RISKS = {
    ("", "secrets"): ("get", "list", "watch"),
    ("", "pods"): ("create",),
    ("", "pods/exec"): ("create", "get"),
    ("", "pods/attach"): ("create", "get"),
    ("", "pods/ephemeralcontainers"): ("patch", "update"),
    ("", "serviceaccounts/token"): ("create",),
    ("", "nodes/proxy"): ("get", "create"),
    ("", "persistentvolumes"): ("create",),
    ("", "namespaces"): ("patch", "update"),
    ("", "serviceaccounts"): ("impersonate",),
    ("", "users"): ("impersonate",),
    ("", "groups"): ("impersonate",),
    ("rbac.authorization.k8s.io", "roles"): ("bind", "escalate"),
    ("rbac.authorization.k8s.io", "clusterroles"): ("bind", "escalate"),
    ("rbac.authorization.k8s.io", "rolebindings"): ("create", "patch", "update"),
    ("rbac.authorization.k8s.io", "clusterrolebindings"): ("create", "patch", "update"),
    ("certificates.k8s.io", "certificatesigningrequests/approval"): ("patch", "update"),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"): ("create", "patch", "update"),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"): ("create", "patch", "update", "delete"),
}
# What developers have in the namespace of their team.
_OF_DEVELOPERS = {"pods", "pods/exec", "pods/attach", "pods/ephemeralcontainers"}
_RIGHTS_AT_RISK = [Right("*", group, resource, verb) for (group, resource), verbs in _RISKS.items() for verb in verbs]
_EVERYONE = {"system:authenticated", "system:unauthenticated", "system:anonymous", "system:serviceaccounts"}


def escalation(changes: Sequence[RightsChange], old: World, new: World) -> Iterator[Message]:
    """Report gained permissions that lead to more, and lost ones of ServiceAccounts that running pods use."""
    accounts = _used_accounts(old) & _used_accounts(new)
    for one in changes:
        risky = [right for right in one.gained if _is_risky(right, one.subject, old, new)]
        if risky:
            yield messages.RIGHTS_GAINED(subject=str(one.subject), rights="; ".join(summaries(risky)))
        if one.lost and one.subject in accounts:
            yield messages.RIGHTS_LOST(subject=str(one.subject), rights="; ".join(summaries(one.lost)))


def _is_risky(right: Right, subject: Subject, old: World, new: World) -> bool:
    # The first permissions in a new namespace are those of its owners.
    if right.namespace in new.namespaces and right.namespace not in old.namespaces:
        return False
    # A single object by name is what least privilege recommends.
    if right.name and right.verb not in {"bind", "escalate", "impersonate"}:
        return False
    if subject.name in _EVERYONE:
        return True
    # A person who works in a namespace. A ServiceAccount's permissions are those of all who can use it.
    if subject.kind != "ServiceAccount" and right.namespace in new.namespaces and right.resource in _OF_DEVELOPERS:
        return False
    return any(right.overlaps(risk) for risk in _RIGHTS_AT_RISK)


def _used_accounts(world: World) -> set[Subject]:
    """The ServiceAccounts that pods use the API with."""
    return {
        Subject("ServiceAccount", f"{pods.namespace}:{pods.spec.get('serviceAccountName') or 'default'}")
        for pods in world.pods
    }
