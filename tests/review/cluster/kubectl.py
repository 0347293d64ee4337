"""A stand-in for kubectl."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.review.programs import first_on_path, stand_in

TIMEOUT = "Unable to connect to the server: net/http: TLS handshake timeout"

Answers = Callable[[str], None]
"""Sets the answers of kubectl: cases of a shell over its arguments. All other calls time out."""


def answers_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Answers:
    first_on_path(folder, monkeypatch)

    def answer(cases: str) -> None:
        stand_in(folder, "kubectl", f'case "$*" in\n{cases}\n*) echo "{TIMEOUT}" >&2; exit 1 ;;\nesac')

    return answer


def failure(stderr: str) -> str:
    """The case of a failure of every call."""
    return f"*) cat >&2 <<'EOF'\n{stderr}\nEOF\nexit 1 ;;"
