"""The settings of the rules in a stack's configuration, under the namespace ``policies``: severities and exceptions.

policies:severity: {read-only-root: mandatory, liveness-waits: disabled}
policies:exceptions:
  - rule: read-only-root
    object: Deployment ml-serving/legacy
    reason: the image writes next to its own program until v2
    until: 2027-03-31
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError

from components.base.arguments import Arguments
from components.base.error_table import NO_SUCH_CHOICE, REASON_MISSING
from components.base.errors import Problem, property_path
from components.base.objects import Manifest
from components.base.validation import problems_of
from policies.rule import RULES, EnforcementLevel, Evaluation, Exempted, Finding, Rule, evaluate

NAMESPACE = "policies"


def _existing_rule(rule_id: str) -> str:
    if rule_id not in RULES:
        near = get_close_matches(rule_id, RULES, n=1, cutoff=0.0)[0]
        raise NO_SUCH_CHOICE(kind="rule", name=rule_id, choices=list(RULES), value=near)
    return rule_id


def _reason(text: str) -> str:
    if len(text.split()) < 3:
        raise REASON_MISSING()
    return text


def _date(value: Any) -> Any:
    """Accept an unquoted date of YAML, which Pulumi passes on as ``2027-03-31 00:00:00 +0000 UTC``."""
    return value.removesuffix(" 00:00:00 +0000 UTC") if isinstance(value, str) else value


RuleId = Annotated[str, AfterValidator(_existing_rule)]


class PolicyException(Arguments):
    """Exempts objects from a rule, until a date."""

    rule: RuleId = Field(examples=["read-only-root"])
    """The id of the rule."""

    object: str = Field(examples=["Deployment ml-serving/legacy"], pattern=r"^\S+ \S+$")
    """The object, as findings name it: ``Kind namespace/name``. ``*`` matches any text."""

    reason: Annotated[str, AfterValidator(_reason)] = Field(
        examples=["the image writes next to its own program until v2"]
    )
    """Why the object is exempt: at least three words. The review shows it."""

    until: Annotated[date, BeforeValidator(_date)] = Field(examples=["2027-03-31"])
    """The last day of the exception. After it, the finding counts again."""

    def covers(self, finding: Finding) -> bool:
        """Whether the exception matches a finding."""
        return self.rule == finding.rule.id and fnmatchcase(finding.target, self.object)


class PolicySettings(Arguments):
    """The settings of the rules for one stack."""

    severity: dict[RuleId, EnforcementLevel] = Field(
        default={}, examples=[{"read-only-root": "mandatory", "liveness-waits": "disabled"}]
    )
    """Rule id → enforcement level. ``mandatory`` fails the preview or update, ``advisory`` is reported, and
    ``disabled`` turns the rule off. Default: the level of the rule."""

    exceptions: list[PolicyException] = []
    """Objects that are exempt from a rule, each with a reason and a last day."""

    def level(self, rule: Rule) -> EnforcementLevel:
        """The enforcement level of a rule in this stack."""
        return self.severity.get(rule.id, rule.level)

    def rules(self) -> list[Rule]:
        """The rules that are not disabled."""
        return [rule for rule in RULES.values() if self.level(rule) != "disabled"]

    def evaluate(self, manifests: Iterable[Manifest], stack: Sequence[Manifest], today: date) -> Evaluation:
        """Evaluate the rules that are not disabled, and apply the exceptions.

        A finding whose exception has expired counts, and states the date.
        """
        evaluation = evaluate(manifests, stack, self.rules())
        exempted: list[Exempted] = []
        kept: list[Finding] = []
        for finding in evaluation.findings:
            exceptions = [exception for exception in self.exceptions if exception.covers(finding)]
            valid = [exception for exception in exceptions if today <= exception.until]
            if valid:
                exempted.append(Exempted(finding, valid[0].reason, valid[0].until))
            else:
                expired = max((exception.until for exception in exceptions), default=None)
                kept.append(replace(finding, exception_expired=expired))
        return replace(evaluation, findings=tuple(kept), exempted=tuple(exempted))

    @classmethod
    def parse(cls, config: Mapping[str, str]) -> Self:
        """Read the settings from a stack's configuration: full keys, values as JSON text.

        Raises PolicySettingsError with every problem.
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


class PolicySettingsError(Exception):
    """The settings are invalid. The message lists every problem and its fix."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        lines = []
        for problem in problems:
            lines.append(f"{NAMESPACE}:{property_path(problem.path)}: {problem.message}")
            fix = problem.advice() or (f"write {problem.value}" if problem.value is not None else None)
            if fix:
                lines.append(f"  {fix}")
        super().__init__("\n".join(lines))
