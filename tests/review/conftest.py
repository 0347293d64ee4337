"""Fixtures of the tests of reviews."""

from pathlib import Path

import pytest

from tests.review.cluster.kubectl import Answers, answers_of


@pytest.fixture
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Answers:
    """A stand-in for kubectl, whose answers a test sets."""
    return answers_of(tmp_path, monkeypatch)
