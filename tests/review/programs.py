"""Stand-ins for the programs that a review runs."""

from pathlib import Path

import pytest


def stand_in(folder: Path, program: str, script: str) -> None:
    """Write an executable shell script."""
    path = folder / program
    path.write_text(f"#!/usr/bin/env bash\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def first_on_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the programs of a folder be found before those of the system."""
    monkeypatch.setenv("PATH", str(folder), prepend=":")
