"""The messages of the twin."""

from review import twin_messages


def test_problems_have_a_fix_or_the_reason_of_a_controller() -> None:
    problems = [kind for kind in twin_messages.KINDS if kind.group == "problem"]
    assert problems
    assert all(kind.fix or "{reason}" in kind.text or "{error}" in kind.text for kind in problems)
