"""Durations as text."""

import pytest

from review.twin.text import duration


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 s"), (12.4, "12 s"), (89, "89 s"), (130, "2 min"), (600, "10 min")]
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text
