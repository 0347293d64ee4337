"""The rule engine: what a rule is, and how rules are evaluated.

A rule is a pure function over a manifest. Its evaluation needs neither a Pulumi engine nor a cluster.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from components.base.objects import Manifest, UnknownValueError, containers, pod_templates, target

EnforcementLevel = Literal["mandatory", "advisory", "disabled"]
"""Pulumi's enforcement levels: a mandatory finding fails a preview or an update, an advisory one is only reported,
and a disabled rule is not evaluated."""


@dataclass(frozen=True)
class Violation:
    """How an object violates a rule."""

    template: str
    """The text, with ``{name}`` in place of each value."""

    values: Mapping[str, object]
    text: str


def violation(template: str, **values: object) -> Violation:
    """A violation with a text. Raises UnknownValueError if a value is unknown before deployment."""
    return Violation(template, values, template.format(**values))


Check = Callable[[Manifest, Sequence[Manifest]], Iterator[Violation]]
"""Yields the violations of one object, given all objects of the stack."""


@dataclass(frozen=True)
class Rule:
    """One rule."""

    id: str
    """Stable: stacks refer to it in ``policies:severity`` and ``policies:exceptions``."""

    reason: str
    """Why the rule exists: a clause without a period."""

    fix: str
    """How to resolve a finding: an imperative clause without a period."""

    level: EnforcementLevel
    """The level, unless the stack's ``policies:severity`` sets another."""

    subjects: tuple[str, ...]
    """What it checks: ``containers``, ``pods``, or kinds of objects."""

    check: Check
    whole_stack: bool
    """Whether the check depends on other objects of the stack."""


@dataclass(frozen=True)
class Finding:
    """A violation of a rule by an object."""

    rule: Rule
    target: str
    """The object: ``Deployment ml-serving/model-serving``."""

    violation: Violation
    exception_expired: date | None = None
    """The last day of the exception that covered it."""

    @property
    def message(self) -> str:
        """The violation as text, without the object."""
        expired = self.exception_expired and f" (its exception expired on {self.exception_expired})"
        return f"{self.violation.text}{expired or ''}"


@dataclass(frozen=True)
class Exempted:
    """A finding that an exception of the stack covers."""

    finding: Finding
    reason: str
    until: date


@dataclass(frozen=True)
class Undetermined:
    """A rule that depends on a value of an object that is unknown before deployment."""

    rule: Rule
    target: str


@dataclass(frozen=True)
class Evaluation:
    """The result of evaluating rules against objects."""

    findings: tuple[Finding, ...] = ()
    undetermined: tuple[Undetermined, ...] = ()
    exempted: tuple[Exempted, ...] = ()


RULES: dict[str, Rule] = {}
"""All rules by id, in the order of their definition."""


def _register(rule: Rule) -> None:
    if rule.id in RULES:
        raise ValueError(f"duplicate rule id {rule.id}")
    RULES[rule.id] = rule


def container_rule(
    rule_id: str, reason: str, fix: str, level: EnforcementLevel = "mandatory"
) -> Callable[[Callable[[Manifest, Manifest], Iterator[Violation]]], None]:
    """Register a rule for each container. The function receives the container and the spec of its pod."""

    def register(check_container: Callable[[Manifest, Manifest], Iterator[Violation]]) -> None:
        def check(manifest: Manifest, _: Sequence[Manifest]) -> Iterator[Violation]:
            for template in pod_templates(manifest):
                spec = template["spec"]
                for container in containers(spec):
                    for found in check_container(container, spec):
                        text = f"container {{container}} {found.template}"
                        yield violation(text, container=container["name"], **found.values)

        _register(Rule(rule_id, reason, fix, level, ("containers",), check, whole_stack=False))

    return register


def pod_rule(
    rule_id: str, reason: str, fix: str, level: EnforcementLevel = "mandatory"
) -> Callable[[Callable[[Manifest], Iterator[Violation]]], None]:
    """Register a rule for each pod. The function receives the spec of the pod."""

    def register(check_pod: Callable[[Manifest], Iterator[Violation]]) -> None:
        def check(manifest: Manifest, _: Sequence[Manifest]) -> Iterator[Violation]:
            for template in pod_templates(manifest):
                yield from check_pod(template["spec"])

        _register(Rule(rule_id, reason, fix, level, ("pods",), check, whole_stack=False))

    return register


def object_rule(
    rule_id: str, reason: str, fix: str, kinds: Iterable[str], level: EnforcementLevel = "mandatory"
) -> Callable[[Callable[[Manifest], Iterator[Violation]]], None]:
    """Register a rule for each object of the given kinds."""
    covered = frozenset(kinds)

    def register(check_object: Callable[[Manifest], Iterator[Violation]]) -> None:
        def check(manifest: Manifest, _: Sequence[Manifest]) -> Iterator[Violation]:
            if manifest["kind"] in covered:
                yield from check_object(manifest)

        _register(Rule(rule_id, reason, fix, level, tuple(sorted(covered)), check, whole_stack=False))

    return register


def stack_rule(
    rule_id: str, reason: str, fix: str, kinds: Iterable[str], level: EnforcementLevel = "mandatory"
) -> Callable[[Check], None]:
    """Register a rule for each object of the given kinds. The function also receives all objects of the stack."""
    covered = frozenset(kinds)

    def register(check_object: Check) -> None:
        def check(manifest: Manifest, stack: Sequence[Manifest]) -> Iterator[Violation]:
            if manifest["kind"] in covered:
                yield from check_object(manifest, stack)

        _register(Rule(rule_id, reason, fix, level, tuple(sorted(covered)), check, whole_stack=True))

    return register


def evaluate(
    manifests: Iterable[Manifest], stack: Sequence[Manifest] = (), rules: Iterable[Rule] | None = None
) -> Evaluation:
    """Evaluate rules against objects. ``stack`` are all objects of the stack; ``rules`` defaults to all rules."""
    findings: list[Finding] = []
    undetermined: list[Undetermined] = []
    evaluated = tuple(RULES.values() if rules is None else rules)
    for manifest in manifests:
        for rule in evaluated:
            try:
                for found in rule.check(manifest, stack):
                    findings.append(Finding(rule, target(manifest), found))
            except UnknownValueError:
                undetermined.append(Undetermined(rule, target(manifest)))
    return Evaluation(tuple(findings), tuple(undetermined))
