"""What a rule is, and how rules are held against objects.

A rule is a pure function over a manifest: neither the engine nor a cluster is needed to ask it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from components.base.objects import Manifest, UnknownValueError, containers, pod_templates, target

Level = Literal["mandatory", "advisory", "disabled"]
"""Pulumi's enforcement levels: a mandatory finding stops the deployment, an advisory one is told."""


Check = Callable[[Manifest, Sequence[Manifest]], Iterator[str]]
"""Says what is wrong with one object, in view of all objects of the stack; nothing where all is well."""


@dataclass(frozen=True)
class Rule:
    """One rule."""

    id: str
    reason: str
    """Why it exists, as a sentence that a reviewer understands."""

    fix: str
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


def _add(rule_id: str, reason: str, fix: str, level: Level, check: Check, *, whole_stack: bool = False) -> None:
    if rule_id in RULES:
        raise ValueError(f"there are two rules {rule_id}")
    RULES[rule_id] = Rule(rule_id, reason, fix, level, check, whole_stack)


def of_containers(
    rule_id: str, reason: str, fix: str, level: Level = "mandatory"
) -> Callable[[Callable[[Manifest, Manifest], Iterator[str]]], None]:
    """A rule about each container; the function is given the container and its pod's spec."""

    def add(about: Callable[[Manifest, Manifest], Iterator[str]]) -> None:
        def check(manifest: Manifest, _: Sequence[Manifest]) -> Iterator[str]:
            for template in pod_templates(manifest):
                spec = template["spec"]
                for container in containers(spec):
                    for what in about(container, spec):
                        yield f"container {container['name']} {what}"

        _add(rule_id, reason, fix, level, check)

    return add


def of_pods(
    rule_id: str, reason: str, fix: str, level: Level = "mandatory"
) -> Callable[[Callable[[Manifest], Iterator[str]]], None]:
    """A rule about each pod; the function is given the pod's spec."""

    def add(about: Callable[[Manifest], Iterator[str]]) -> None:
        def check(manifest: Manifest, _: Sequence[Manifest]) -> Iterator[str]:
            for template in pod_templates(manifest):
                yield from about(template["spec"])

        _add(rule_id, reason, fix, level, check)

    return add


def of_objects(
    rule_id: str, reason: str, fix: str, kinds: Iterable[str], level: Level = "mandatory"
) -> Callable[[Callable[[Manifest], Iterator[str]]], None]:
    """A rule about each object of some kinds."""
    judged = frozenset(kinds)

    def add(about: Callable[[Manifest], Iterator[str]]) -> None:
        def check(manifest: Manifest, _: Sequence[Manifest]) -> Iterator[str]:
            if manifest["kind"] in judged:
                yield from about(manifest)

        _add(rule_id, reason, fix, level, check)

    return add


def of_stacks(
    rule_id: str, reason: str, fix: str, kinds: Iterable[str], level: Level = "mandatory"
) -> Callable[[Check], None]:
    """A rule about each object of some kinds, in view of all the others."""
    judged = frozenset(kinds)

    def add(about: Check) -> None:
        def check(manifest: Manifest, stack: Sequence[Manifest]) -> Iterator[str]:
            if manifest["kind"] in judged:
                yield from about(manifest, stack)

        _add(rule_id, reason, fix, level, check, whole_stack=True)

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
