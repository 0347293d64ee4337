"""A machine without a toolchain: an empty cache, and a stand-in for Go on PATH."""

from dataclasses import dataclass
from pathlib import Path

import pytest

# It writes the file that it is to build, and records each build in $CALLS. If $FAIL exists, a build
# fails with its content on standard error. The source code of every dependency is in $SOURCE.
_GO = """#!/bin/sh
case "$1" in
env) echo go1.26.0 ;;
list) if [ "$2" = -m ]; then echo "$SOURCE"; else echo fmt; fi ;;
mod) ;;
build)
    echo build >> "$CALLS"
    [ -e "$FAIL" ] && { cat "$FAIL" >&2; exit 1; }
    while [ "$1" != -o ]; do shift; done
    echo program > "$2" ;;
esac
"""


@dataclass(frozen=True)
class Machine:
    """The machine's files, all in one folder."""

    folder: Path

    @property
    def bin(self) -> Path:
        """The first folder on PATH."""
        return self.folder / "bin"

    @property
    def go(self) -> Path:
        return self.bin / "go"

    @property
    def programs(self) -> Path:
        """The folder of finished builds."""
        return self.folder / "cache" / "ml-platform" / "programs"

    @property
    def source(self) -> Path:
        """The source code of every dependency of a Go module."""
        return self.folder / "source"

    def builds(self) -> int:
        """How often Go has built something."""
        calls = self.folder / "calls"
        return len(calls.read_text(encoding="utf-8").splitlines()) if calls.exists() else 0

    def fail_builds(self, stderr: str) -> None:
        (self.folder / "fail").write_text(stderr, encoding="utf-8")

    def fix_builds(self) -> None:
        (self.folder / "fail").unlink()

    def partial_builds(self) -> list[Path]:
        return list(self.programs.glob(".partial-*"))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(tmp_path)
    machine.bin.mkdir()
    machine.go.write_text(_GO, encoding="utf-8")
    machine.go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{machine.bin}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("FAIL", str(tmp_path / "fail"))
    monkeypatch.setenv("SOURCE", str(machine.source))
    return machine
