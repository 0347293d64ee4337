"""The table of messages."""

import string

import pytest

from review import messages, symptoms, twin_messages
from review.messages import Kind, counted
from tests.review.golden import MESSAGES, example, examples

ALL = (*messages.KINDS, *twin_messages.KINDS, *symptoms.KINDS)


def test_an_example_of_every_message_is_recorded() -> None:
    """If this fails because of a new text: make golden."""
    assert MESSAGES.read_text(encoding="utf-8") == examples()


def test_codes_are_unique() -> None:
    codes = [kind.code for kind in ALL]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.code)
def test_a_code_is_kebab_case_and_a_fix_is_a_clause(kind: Kind) -> None:
    assert set(kind.code) <= {*string.ascii_lowercase, "-"}
    assert not kind.fix.endswith(".")
    assert example(kind).text


def test_problems_have_a_fix() -> None:
    without = {kind.code for kind in messages.KINDS if kind.group == "problem" and not kind.fix}
    # The first two quote errors that have one; the last one has that of its reason.
    assert without == {"preview-failed", "policy-settings-invalid", "admission-denied"}


def test_a_message_has_text_and_fix() -> None:
    kind = Kind("a", "problem", "{target} is invalid", "rename {target}")
    message = kind(target="Job {x}")
    assert (message.code, message.text, message.fix) == ("a", "Job {x} is invalid", "rename Job {x}")
    assert str(message) == "Job {x} is invalid. Fix: rename Job {x}"


def test_a_message_without_a_fix_has_that_of_its_reason() -> None:
    reason = Kind("b", "reason", "{why}", "fix it")(why="broken")
    message = Kind("a", "note", "{target}: {reason}")(target="Job a", reason=reason)
    assert str(message) == "Job a: broken. Fix: fix it"
    assert str(Kind("a", "note", "{reason}")(reason="none")) == "none"


def test_counted() -> None:
    assert [counted(number, "pod") for number in (0, 1, 2)] == ["0 pods", "1 pod", "2 pods"]
