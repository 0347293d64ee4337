"""The rule engine."""

import re
from pathlib import Path

import pytest

import policies
from components.base.objects import UNKNOWN, UnknownValueError
from policies import RULES, evaluate
from policies.rule import object_rule, violation
from tests.edits import put
from tests.policies.cases import ALL, MAIN, evaluated, findings
from tests.policies.golden import FINDINGS
from tests.program import run


def test_every_rule_has_a_case_of_a_violation_and_of_an_unknown_value() -> None:
    assert {rule for cases in ALL for rule, _, _ in cases.violations} == set(RULES)
    assert {rule for cases in ALL for rule in cases.undetermined} == set(RULES)
    assert len(RULES) >= 20


def test_an_example_of_every_finding_is_recorded() -> None:
    """If this fails because of a new text: make golden."""
    assert FINDINGS.read_text(encoding="utf-8") == findings()
    folder = Path(policies.__file__).parent / "rules"
    sources = "".join(module.read_text(encoding="utf-8") for module in folder.glob("*.py"))
    assert findings().count("\n") == len(re.findall(r"yield violation\(", sources))


def test_an_unknown_value_does_not_hide_findings_of_other_objects() -> None:
    evaluation = evaluated(
        "image-pinned", put(f"{MAIN}/image", UNKNOWN), put("Job/spec/template/spec/containers/0/image", "a:latest")
    )
    assert [finding.target for finding in evaluation.findings] == ["Job ml-serving/train"]
    assert [undetermined.target for undetermined in evaluation.undetermined] == ["Deployment ml-serving/bert"]


def test_a_violation_requires_known_values() -> None:
    assert violation("sets {field}", field="a").text == "sets a"
    with pytest.raises(UnknownValueError):
        violation("sets {field}", field=UNKNOWN)


def test_rule_ids_are_unique() -> None:
    with pytest.raises(ValueError, match="duplicate rule id image-pinned"):
        object_rule("image-pinned", "", "", ())(lambda _: iter(()))


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_committed_stacks_violate_no_mandatory_rule(stack: str) -> None:
    made = [resource.inputs for resource in run(stack).resources if resource.request.custom]
    found = evaluate(made, made).findings
    assert [finding for finding in found if finding.rule.level == "mandatory"] == []
