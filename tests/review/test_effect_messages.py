"""The messages about effects."""

from review import effect_messages, messages, symptoms


def test_codes_are_unique() -> None:
    codes = [kind.code for kind in (*messages.KINDS, *effect_messages.KINDS, *symptoms.KINDS)]
    assert len(codes) == len(set(codes))


def test_every_warning_that_can_be_resolved_has_a_fix() -> None:
    without = {kind.code for kind in effect_messages.KINDS if kind.group in {"problem", "warning"} and not kind.fix}
    assert without == {"narrowed"}
