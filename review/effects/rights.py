"""Who may do what, by RBAC: the effective permissions of every subject before and after a change."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from components.base.objects import Manifest, selects
from review import effect_messages as messages
from review.effects.dangling import named
from review.effects.world import World
from review.messages import Message

_EVERYTHING = "*"


@dataclass(frozen=True, order=True, slots=True)
class Subject:
    """A user, a group or a ServiceAccount."""

    kind: str
    name: str
    """``namespace:name`` of a ServiceAccount."""

    def __str__(self) -> str:
        return f"{self.kind} {self.name.replace(':', '/') if self.kind == _ACCOUNT else self.name}"


_ACCOUNT = "ServiceAccount"
_ACCOUNT_USER = "system:serviceaccount:"


@dataclass(frozen=True, order=True, slots=True)
class Right:
    """A permission. ``*`` stands for everything; an empty name for all names."""

    namespace: str
    """``*``: in the whole cluster."""

    group: str
    resource: str
    """With its subresource; or a URL such as ``/metrics``, of which the group is ``url``."""

    verb: str
    name: str = ""

    def covers(self, other: "Right") -> bool:
        """Whether it includes another permission."""
        return (
            self.namespace in (_EVERYTHING, other.namespace)
            and self.verb in (_EVERYTHING, other.verb)
            and self.name in ("", other.name)
            and (self.group == _URL) == (other.group == _URL)
            and (
                _covers_url(self.resource, other.resource)
                if self.group == _URL
                else self.group in (_EVERYTHING, other.group) and _covers_resource(self.resource, other.resource)
            )
        )

    def overlaps(self, other: "Right") -> bool:
        """Whether it includes another permission, in any namespace and for any name, or is included in it."""
        one, two = (replace(right, namespace=_EVERYTHING, name="") for right in (self, other))
        return one.covers(two) or two.covers(one)


_URL = "url"


def _covers_resource(pattern: str, resource: str) -> bool:
    """``*`` includes subresources, ``pods`` does not; ``*/scale`` is the subresource of every resource."""
    if pattern in (_EVERYTHING, resource):
        return True
    return pattern.startswith("*/") and resource.partition("/")[2] == pattern[2:]


def _covers_url(pattern: str, url: str) -> bool:
    return pattern == url or (pattern.endswith("*") and url.startswith(pattern[:-1]))


@dataclass(frozen=True)
class RightsChange:
    """The permissions that a subject gains and loses."""

    subject: Subject
    gained: tuple[Right, ...]
    lost: tuple[Right, ...]

    def messages(self) -> list[Message]:
        """What changes, as text."""
        subject = str(self.subject)
        gained = [messages.PERMISSIONS_ADDED(subject=subject, rights=text) for text in summaries(self.gained)]
        return [*gained, *(messages.PERMISSIONS_REMOVED(subject=subject, rights=text) for text in summaries(self.lost))]


class Rights:
    """The permissions of all subjects."""

    def __init__(self, world: World) -> None:
        self._roles = {(role["kind"], *_scope_and_name(role)): role for role in world.of_kind("Role", "ClusterRole")}
        self.granted: dict[Subject, set[Right]] = defaultdict(set)
        for binding in world.of_kind("RoleBinding", "ClusterRoleBinding"):
            self._grant(binding)

    def _grant(self, binding: Manifest) -> None:
        namespace = _EVERYTHING if binding["kind"] == "ClusterRoleBinding" else _scope_and_name(binding)[0]
        role = binding["roleRef"]
        rules = self._rules(role["kind"], "" if role["kind"] == "ClusterRole" else namespace, role["name"])
        rights = {right for rule in rules for right in _rights(rule, namespace)}
        for subject in binding.get("subjects") or []:
            self.granted[_subject(subject, namespace)] |= rights

    def _rules(self, kind: str, namespace: str, name: str) -> list[Manifest]:
        role = self._roles.get((kind, namespace, name))
        if role is None:
            return []
        return self._aggregated(role, set()) if role.get("aggregationRule") else role.get("rules") or []

    def _aggregated(self, role: Manifest, seen: set[str]) -> list[Manifest]:
        """The rules of a role that the control plane composes of others."""
        name = role["metadata"]["name"]
        if name in seen:
            return []
        seen.add(name)
        if not role.get("aggregationRule"):
            return role.get("rules") or []
        selectors = role["aggregationRule"].get("clusterRoleSelectors") or []
        return [
            rule
            for other in self._cluster_roles
            if any(selects(selector, other["metadata"].get("labels") or {}) for selector in selectors)
            for rule in self._aggregated(other, seen)
        ]

    @cached_property
    def _cluster_roles(self) -> list[Manifest]:
        return [role for (kind, *_), role in self._roles.items() if kind == "ClusterRole"]

    def of(self, subject: Subject) -> set[Right]:
        """The permissions of a subject, with those of its groups."""
        return {right for one in (subject, *groups(subject)) for right in self.granted.get(one, ())}


def groups(subject: Subject) -> list[Subject]:
    """The groups that a subject is always in."""
    if subject.kind == _ACCOUNT:
        namespace = subject.name.partition(":")[0]
        names = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"]
    elif subject == Subject("User", "system:anonymous"):
        names = ["system:unauthenticated"]
    elif subject.name in {"system:authenticated", "system:unauthenticated"}:
        names = []
    elif subject.name.startswith("system:serviceaccounts:"):
        names = ["system:serviceaccounts", "system:authenticated"]
    else:
        names = ["system:authenticated"]
    return [Subject("Group", name) for name in names]


def _subject(subject: Manifest, namespace: str) -> Subject:
    kind, name = subject["kind"], subject["name"]
    if kind == _ACCOUNT:
        return Subject(_ACCOUNT, f"{subject.get('namespace') or namespace}:{name}")
    if kind == "User" and name.startswith(_ACCOUNT_USER):
        return Subject(_ACCOUNT, name.removeprefix(_ACCOUNT_USER))
    return Subject(kind, name)


def _scope_and_name(manifest: Manifest) -> tuple[str, str]:
    metadata = manifest["metadata"]
    clustered = manifest["kind"].startswith("Cluster")
    return "" if clustered else metadata.get("namespace") or "default", metadata["name"]


def _rights(rule: Manifest, namespace: str) -> Iterator[Right]:
    for verb in rule.get("verbs") or []:
        for resource in rule.get("resources") or []:
            for group in rule.get("apiGroups") or []:
                for name in rule.get("resourceNames") or [""]:
                    yield Right(namespace, group, resource, verb, name)
        if namespace == _EVERYTHING:
            for url in rule.get("nonResourceURLs") or []:
                yield Right(namespace, _URL, url, verb)


def rights(old: World, new: World) -> list[RightsChange]:
    """The subjects whose effective permissions change. Another notation of the same permissions is no change."""
    before, after = Rights(old), Rights(new)
    found = []
    for subject in sorted({*before.granted, *after.granted}):
        had, has = before.of(subject), after.of(subject)
        gained, lost = _beyond(has, had), _beyond(had, has)
        if gained or lost:
            found.append(RightsChange(subject, gained, lost))
    return found


def _beyond(rights: set[Right], others: set[Right]) -> tuple[Right, ...]:
    """The permissions that others do not cover."""
    return tuple(sorted(right for right in rights - others if not any(other.covers(right) for other in others)))


def summaries(rights: Sequence[Right]) -> list[str]:
    """Permissions as text, those of one resource together: ``get and list pods in ml-serving``."""
    verbs: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    for right in rights:
        verbs[right.namespace, right.group, right.resource, right.name].append(right.verb)
    merged: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (namespace, group, resource, name), of_resource in verbs.items():
        merged[namespace, tuple(of_resource)].append(_resource(group, resource, name))
    return [
        f"{_verbs(of_resources)} {named(resources)} in "
        + ("the whole cluster" if namespace == _EVERYTHING else namespace)
        for (namespace, of_resources), resources in merged.items()
    ]


def _resource(group: str, resource: str, name: str) -> str:
    text = resource if group in ("", _URL, _EVERYTHING) else f"{resource}.{group}"
    return f"{'all resources' if text == _EVERYTHING else text} {name}".rstrip()


def _verbs(verbs: Sequence[str]) -> str:
    return "do everything with" if _EVERYTHING in verbs else " and ".join(verbs)
