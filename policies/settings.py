"""What a stack's configuration says of the rules, in the namespace ``policies``: how severe they are, and exceptions.

policies:severity: {read-only-root: mandatory, liveness-waits: disabled}
policies:exceptions:
  - rule: read-only-root
    object: Deployment ml-serving/legacy
    reason: the image writes next to its own program until v2
    until: 2027-03-31
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Annotated, Any, Self

import yaml
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError

from components.base.arguments import Arguments
from components.base.error_table import NO_SUCH_CHOICE, REASON_MISSING
from components.base.errors import Problem, property_path
from components.base.objects import Manifest
from components.base.validation import problems_of
from policies.rule import RULES, Finding, Level, Rule, Verdict, judge

NAMESPACE = "policies"


def _known_rule(rule_id: str) -> str:
    if rule_id not in RULES:
        near = get_close_matches(rule_id, RULES, n=1, cutoff=0.0)[0]
        raise NO_SUCH_CHOICE(kind="rule", name=rule_id, choices=list(RULES), value=near)
    return rule_id


def _reasoned(text: str) -> str:
    if len(text.split()) < 3:
        raise REASON_MISSING()
    return text


def _day(value: Any) -> Any:
    """A date of YAML without quotes, as Pulumi hands it on: ``2027-03-31 00:00:00 +0000 UTC``."""
    return value.removesuffix(" 00:00:00 +0000 UTC") if isinstance(value, str) else value


RuleId = Annotated[str, AfterValidator(_known_rule)]


class PolicyException(Arguments):
    """An object that may differ from a rule, for a while."""

    rule: RuleId = Field(examples=["read-only-root"])
    """The rule."""

    object: str = Field(examples=["Deployment ml-serving/legacy"], pattern=r"^\S+ \S+$")
    """The object as findings name it, ``Kind namespace/name``; ``*`` stands for any text."""

    reason: Annotated[str, AfterValidator(_reasoned)]
    """Why."""

    until: Annotated[date, BeforeValidator(_day)]
    """The last day on which it counts."""

    def covers(self, finding: Finding) -> bool:
        """Whether it is about a finding."""
        return self.rule == finding.rule.id and fnmatchcase(finding.target, self.object)


class PolicySettings(Arguments):
    """How a stack holds its objects to the rules."""

    severity: dict[RuleId, Level] = {}
    """Rule → what a finding means: ``mandatory`` stops the deployment, ``advisory`` is told, ``disabled`` is not."""

    exceptions: list[PolicyException] = []
    """Objects that may differ, each with a reason and an end."""

    def level(self, rule: Rule) -> Level:
        """What a finding of a rule means in this stack."""
        return self.severity.get(rule.id, rule.level)

    def rules(self) -> list[Rule]:
        """The rules that are asked."""
        return [rule for rule in RULES.values() if self.level(rule) != "disabled"]

    @classmethod
    def parse(cls, config: Mapping[str, str]) -> Self:
        """The settings in a stack's configuration: full keys, values as JSON text.

        Raises PolicySettingsError with all that is wrong with them.
        """
        values: dict[str, Any] = {}
        for key, text in config.items():
            namespace, _, name = key.partition(":")
            if namespace == NAMESPACE:
                try:
                    values[name] = json.loads(text)
                except json.JSONDecodeError:
                    values[name] = text
        try:
            return cls.model_validate(values, by_alias=True, by_name=False)
        except ValidationError as error:
            raise PolicySettingsError(problems_of(error)) from None

    @classmethod
    def of_file(cls, text: str) -> Self:
        """The settings in the text of a ``Pulumi.<stack>.yaml``."""
        config = (yaml.safe_load(text) or {}).get("config") or {}
        return cls.parse({key: json.dumps(value, default=str) for key, value in config.items()})


class PolicySettingsError(Exception):
    """The settings are wrong: every problem, and how to fix it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        lines = []
        for problem in problems:
            lines.append(f"{NAMESPACE}:{property_path(problem.path)}: {problem.message}")
            fix = problem.advice() or (f"write {problem.value}" if problem.value is not None else None)
            if fix:
                lines.append(f"  {fix}")
        super().__init__("\n".join(lines))


def judged(
    manifests: Iterable[Manifest], stack: Sequence[Manifest], settings: PolicySettings, today: date
) -> tuple[Verdict, list[tuple[Finding, PolicyException]]]:
    """What the rules say that the stack asks, and the findings that an exception excuses.

    A finding whose exception has ended says so.
    """
    verdict = judge(manifests, stack, settings.rules())
    excused, kept = [], []
    for finding in verdict.findings:
        exceptions = [exception for exception in settings.exceptions if exception.covers(finding)]
        valid = [exception for exception in exceptions if today <= exception.until]
        if valid:
            excused.append((finding, valid[0]))
        elif exceptions:
            last = max(exceptions, key=lambda exception: exception.until)
            kept.append(Finding(finding.rule, finding.target, f"{finding.what} (its exception ended on {last.until})"))
        else:
            kept.append(finding)
    return Verdict(kept, verdict.unclear), excused
