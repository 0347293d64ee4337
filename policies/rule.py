"""What a rule is, and how rules are held against objects.

A rule is a pure function over a manifest: neither the engine nor a cluster is needed to ask it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

Manifest = Mapping[str, Any]
Level = Literal["mandatory", "advisory", "disabled"]
"""Pulumi's enforcement levels: a mandatory finding stops the deployment, an advisory one is told."""


class UnknownValueError(Exception):
    """A rule asked for a value that is not known before the deployment."""


class _Unknown:
    """A value that is not known yet. Whatever a rule asks of it, the rule cannot be answered.

    So rules are written in plain Python, and none can take an unknown value for a good or a bad one.
    """

    def _ask(self, *_: object) -> NoReturn:
        raise UnknownValueError

    __bool__ = __eq__ = __ne__ = __hash__ = __str__ = __format__ = __int__ = _ask
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __mod__ = _ask
    __lt__ = __le__ = __gt__ = __ge__ = __iter__ = __len__ = __getitem__ = __contains__ = _ask

    def __getattr__(self, name: str) -> NoReturn:
        raise UnknownValueError

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Any = _Unknown()

Check = Callable[[Manifest, Sequence[Manifest]], Iterator[str]]
"""Says what is wrong with one object, in view of all objects of the stack; nothing where all is well."""


@dataclass(frozen=True)
class Rule:
    """One rule."""

    id: str
    reason: str
    """Why it exists, as a sentence that a reviewer understands."""

    mend: str
    """What to do about a finding."""

    level: Level
    """What a finding means where the stack's configuration says nothing else."""

    check: Check
    whole_stack: bool
    """Whether it looks at other objects than the one that it judges."""


@dataclass(frozen=True)
class Finding:
    """Something that a rule says of an object."""

    rule: Rule
    target: str
    """The object: ``Deployment ml-serving/model-serving``."""

    what: str


@dataclass
class Verdict:
    """What rules say of a set of objects."""

    findings: list[Finding] = field(default_factory=list)
    unclear: list[tuple[Rule, str]] = field(default_factory=list)
    """Rules that depend on a value of an object that is not known yet."""


RULES: dict[str, Rule] = {}
"""All rules by id, in the order of their definition."""


def _add(rule_id: str, reason: str, mend: str, level: Level, check: Check, *, whole_stack: bool = False) -> None:
    if rule_id in RULES:
        raise ValueError(f"there are two rules {rule_id}")
    RULES[rule_id] = Rule(rule_id, reason, mend, level, check, whole_stack)


def of_containers(
    rule_id: str, reason: str, mend: str, level: Level = "mandatory"
) -> Callable[[Callable[[Manifest, Manifest], Iterator[str]]], None]:
    """A rule about each container; the function is given the container and its pod's spec."""

    def add(about: Callable[[Manifest, Manifest], Iterator[str]]) -> None:
        def check(manifest: Manifest, _: Sequence[Manifest]) -> Iterator[str]:
            for template in pod_templates(manifest):
                spec = template["spec"]
                for container in containers(spec):
                    for what in about(container, spec):
                        yield f"container {container['name']} {what}"

        _add(rule_id, reason, mend, level, check)

    return add


def of_pods(
    rule_id: str, reason: str, mend: str, level: Level = "mandatory"
) -> Callable[[Callable[[Manifest], Iterator[str]]], None]:
    """A rule about each pod; the function is given the pod's spec."""

    def add(about: Callable[[Manifest], Iterator[str]]) -> None:
        def check(manifest: Manifest, _: Sequence[Manifest]) -> Iterator[str]:
            for template in pod_templates(manifest):
                yield from about(template["spec"])

        _add(rule_id, reason, mend, level, check)

    return add


def of_objects(
    rule_id: str, reason: str, mend: str, kinds: Iterable[str], level: Level = "mandatory"
) -> Callable[[Callable[[Manifest], Iterator[str]]], None]:
    """A rule about each object of some kinds."""
    judged = frozenset(kinds)

    def add(about: Callable[[Manifest], Iterator[str]]) -> None:
        def check(manifest: Manifest, _: Sequence[Manifest]) -> Iterator[str]:
            if manifest["kind"] in judged:
                yield from about(manifest)

        _add(rule_id, reason, mend, level, check)

    return add


def of_stacks(
    rule_id: str, reason: str, mend: str, kinds: Iterable[str], level: Level = "mandatory"
) -> Callable[[Check], None]:
    """A rule about each object of some kinds, in view of all the others."""
    judged = frozenset(kinds)

    def add(about: Check) -> None:
        def check(manifest: Manifest, stack: Sequence[Manifest]) -> Iterator[str]:
            if manifest["kind"] in judged:
                yield from about(manifest, stack)

        _add(rule_id, reason, mend, level, check, whole_stack=True)

    return add


def judge(
    manifests: Iterable[Manifest], stack: Sequence[Manifest] = (), rules: Iterable[Rule] | None = None
) -> Verdict:
    """Hold rules against objects; ``stack`` is all objects that there are."""
    verdict = Verdict()
    for manifest in manifests:
        for rule in RULES.values() if rules is None else rules:
            try:
                for what in rule.check(manifest, stack):
                    verdict.findings.append(Finding(rule, target(manifest), what))
            except UnknownValueError:
                verdict.unclear.append((rule, target(manifest)))
    return verdict


def target(manifest: Manifest) -> str:
    """An object by kind, namespace and name, as far as they are known: ``Deployment ml-serving/bert``."""
    metadata = manifest.get("metadata") or {}
    parts = [metadata[key] for key in ("namespace", "name") if metadata.get(key, UNKNOWN) is not UNKNOWN]
    return f"{manifest['kind']} {'/'.join(parts) or '(name not known yet)'}"


_TEMPLATES = {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job"}
WORKLOADS = {*_TEMPLATES, "Pod", "CronJob", "JobSet"}
"""The kinds that make pods."""


def pod_templates(manifest: Manifest) -> list[Manifest]:
    """The ``metadata`` and ``spec`` of the pods that an object makes."""
    kind = manifest["kind"]
    if kind == "Pod":
        return [manifest]
    if kind in _TEMPLATES:
        return [manifest["spec"]["template"]]
    if kind == "CronJob":
        return [manifest["spec"]["jobTemplate"]["spec"]["template"]]
    if kind == "JobSet":
        return [job["template"]["spec"]["template"] for job in manifest["spec"]["replicatedJobs"]]
    return []


def containers(spec: Manifest) -> list[Manifest]:
    """All containers of a pod, those that run first included."""
    return [*spec.get("initContainers", []), *spec.get("containers", [])]


def namespace(manifest: Manifest) -> str:
    """The namespace of an object; Kubernetes' own default where it names none."""
    found: str = manifest["metadata"].get("namespace", "default")
    return found if found else "default"


def selects(selector: Manifest, labels: Manifest) -> bool:
    """Whether labels match a plain selector or one with ``matchLabels`` and ``matchExpressions``."""
    plain = selector if not {"matchLabels", "matchExpressions"} & selector.keys() else selector.get("matchLabels", {})
    if any(labels.get(key) != value for key, value in plain.items()):
        return False
    return all(_matches(expression, labels) for expression in selector.get("matchExpressions", []))


def _matches(expression: Manifest, labels: Manifest) -> bool:
    value, values = labels.get(expression["key"]), expression.get("values", [])
    matches = {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }
    return matches[expression["operator"]]
