"""The table of warnings."""

import pytest

from components.base.error_table import TABLE
from components.base.warning_table import WARNINGS


def test_no_code_is_also_that_of_an_error() -> None:
    assert not WARNINGS.keys() & TABLE.keys()


@pytest.mark.parametrize("code", WARNINGS)
def test_every_warning_has_a_fix_and_examples_for_its_placeholders(code: str) -> None:
    message, fix = WARNINGS[code].example()
    assert message
    assert fix
    assert "{" not in message + fix
