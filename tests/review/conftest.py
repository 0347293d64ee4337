"""Fixtures of the tests of reviews."""

from pathlib import Path

import pytest

from tests.review.cluster.kubectl import Answers, answers_of
from tests.review.twin.api_server import ApiServer


@pytest.fixture
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Answers:
    """A stand-in for kubectl, whose answers a test sets."""
    return answers_of(tmp_path, monkeypatch)


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ApiServer:
    """A stand-in for kubectl proxy and the API server behind it, whose answers a test sets."""
    return ApiServer(tmp_path, monkeypatch)
