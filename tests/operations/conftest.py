"""A stand-in for the Pulumi CLI."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

# It records its arguments in $CALLS, and runs the script $BEHAVIOR.
_PULUMI = """#!/bin/sh
echo "$@" >> "$CALLS"
[ -e "$BEHAVIOR" ] && . "$BEHAVIOR"
exit 0
"""


@dataclass(frozen=True)
class FakePulumi:
    """The ``pulumi`` on PATH."""

    folder: Path

    @property
    def program(self) -> Path:
        return self.folder / "bin" / "pulumi"

    def calls(self) -> list[str]:
        """The command lines that it was run with."""
        file = self.folder / "calls"
        return file.read_text(encoding="utf-8").splitlines() if file.exists() else []

    def behave(self, script: str) -> None:
        """Set what it does, as a shell script."""
        (self.folder / "behavior").write_text(script, encoding="utf-8")


@pytest.fixture
def fake_pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePulumi:
    fake = FakePulumi(tmp_path)
    fake.program.parent.mkdir()
    fake.program.write_text(_PULUMI, encoding="utf-8")
    fake.program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("BEHAVIOR", str(tmp_path / "behavior"))
    return fake


@dataclass(frozen=True)
class State:
    """The files of a file backend with the stack dev."""

    folder: Path

    @property
    def checkpoint(self) -> Path:
        return self._file("stacks", "ml-platform", "dev.json")

    @property
    def backup(self) -> Path:
        return self.checkpoint.with_name("dev.json.bak")

    def write(self, **latest: object) -> None:
        self.checkpoint.write_text(json.dumps({"checkpoint": {"latest": latest}}), encoding="utf-8")

    def lock(self, text: str) -> None:
        self._file("locks", "organization", "ml-platform", "dev", "lock.json").write_text(text, encoding="utf-8")

    def _file(self, *names: str) -> Path:
        file = self.folder.joinpath(".pulumi", *names)
        file.parent.mkdir(parents=True, exist_ok=True)
        return file


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "state")
