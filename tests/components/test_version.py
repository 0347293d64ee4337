"""The version of the distribution."""

import re

from components import VERSION


def test_the_version_is_semantic() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", VERSION)
