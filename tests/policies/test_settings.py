"""Severities and exceptions in a stack's configuration."""

import json
from datetime import date

import pytest

from components.base.errors import property_path
from policies import RULES, PolicySettings
from policies.settings import PolicySettingsError
from tests.edits import put
from tests.policies.cases import objects

TODAY = date(2026, 6, 1)
SURGES = put("Deployment/spec/strategy", {})


def excepted(**changes: str) -> PolicySettings:
    exception = {
        "rule": "no-surge-on-gpus",
        "object": "Deployment ml-serving/bert",
        "reason": "there are spare GPUs until the move",
        "until": "2026-06-01",
        **changes,
    }
    return PolicySettings.parse({"policies:exceptions": json.dumps([exception])})


def test_an_exception_is_valid_until_its_last_day() -> None:
    made = objects(SURGES)
    evaluation = excepted().evaluate(made, made, TODAY)
    assert evaluation.findings == ()
    (exempted,) = evaluation.exempted
    assert exempted.finding.rule.id == "no-surge-on-gpus"
    assert (exempted.reason, exempted.until) == ("there are spare GPUs until the move", TODAY)


def test_a_finding_states_that_its_exception_has_expired() -> None:
    made = objects(SURGES)
    evaluation = excepted().evaluate(made, made, date(2026, 6, 2))
    assert evaluation.exempted == ()
    (finding,) = evaluation.findings
    assert finding.exception_expired == TODAY
    assert finding.message == f"{finding.violation.text} (its exception expired on 2026-06-01)"


@pytest.mark.parametrize(
    "changes", [{"object": "Deployment ml-training/*"}, {"object": "Job ml-serving/bert"}, {"rule": "read-only-root"}]
)
def test_an_exception_covers_only_its_rule_and_object(changes: dict[str, str]) -> None:
    made = objects(SURGES)
    evaluation = excepted(**changes).evaluate(made, made, TODAY)
    assert [finding.rule.id for finding in evaluation.findings] == ["no-surge-on-gpus"]


def test_the_object_of_an_exception_may_be_a_pattern() -> None:
    made = objects(SURGES)
    assert excepted(object="Deployment ml-*/*").evaluate(made, made, TODAY).findings == ()


def test_the_stack_sets_severities() -> None:
    settings = PolicySettings.parse(
        {"policies:severity": '{"no-surge-on-gpus": "disabled", "read-only-root": "mandatory"}'}
    )
    assert settings.level(RULES["read-only-root"]) == "mandatory"
    assert settings.level(RULES["not-root"]) == RULES["not-root"].level
    assert RULES["no-surge-on-gpus"] not in settings.rules()
    made = objects(SURGES)
    assert settings.evaluate(made, made, TODAY).findings == ()


def exception(**changes: str) -> str:
    return json.dumps(
        [{"rule": "not-root", "object": "Job a/b", "reason": "it must be so", "until": "2026-06-01"} | changes]
    )


@pytest.mark.parametrize(
    ("key", "value", "path"),
    [
        ("severity", '{"no-surge": "advisory"}', "severity.no-surge"),
        ("severity", '{"not-root": "error"}', "severity.not-root"),
        ("severty", "{}", "severty"),
        ("exceptions", '[{"rule": "not-root", "object": "Job a/b", "until": "2026-06-01"}]', "exceptions[0].reason"),
        ("exceptions", exception(until="never"), "exceptions[0].until"),
        ("exceptions", exception(reason="todo"), "exceptions[0].reason"),
        ("exceptions", exception(object="*"), "exceptions[0].object"),
        ("exceptions", exception(rule="no-rot"), "exceptions[0].rule"),
    ],
)
def test_invalid_settings(key: str, value: str, path: str) -> None:
    with pytest.raises(PolicySettingsError) as error:
        PolicySettings.parse({f"policies:{key}": value, "other:key": "{"})
    (problem,) = error.value.problems
    assert property_path(problem.path) == path
    assert f"policies:{path}: {problem.message}" in str(error.value)


def test_an_unknown_rule_suggests_the_closest_one() -> None:
    with pytest.raises(PolicySettingsError, match="no-surge-on-gpus"):
        PolicySettings.parse({"policies:severity": '{"no-surge": "advisory"}'})


@pytest.mark.parametrize("text", ["2026-06-01", "2026-06-01 00:00:00 +0000 UTC"])
def test_a_date_may_be_unquoted_in_yaml(text: str) -> None:
    """The engine passes an unquoted date on as a timestamp."""
    assert excepted(until=text).exceptions[0].until == TODAY


def test_a_setting_that_is_not_json() -> None:
    with pytest.raises(PolicySettingsError) as error:
        PolicySettings.parse({"policies:severity": "advisory"})
    assert [problem.property_path() for problem in error.value.problems] == ["severity"]
