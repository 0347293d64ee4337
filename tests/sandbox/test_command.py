"""The frame of every command: its exit status and what it prints."""

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox import command
from sandbox.layout import Layout, SandboxError


def fail_with(error: BaseException) -> Callable[[], None]:
    def action() -> None:
        raise error

    return action


def test_a_command_prints_its_duration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.run("up", Layout(tmp_path), lambda: None) == 0
    assert capsys.readouterr().out == "  up: finished in 0.0 s\n"


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (SandboxError("etcd exited"), 1, "etcd exited\n"),
        (LookupError("no such stack"), 1, "no such stack\n"),
        (KeyboardInterrupt(), 130, "interrupted: run the same command again to resume\n"),
        (
            OSError(errno.ENOSPC, "No space left on device", "/data"),
            1,
            "no space left on device: /data\nFree some space, then run the same command again.\n",
        ),
    ],
)
def test_an_expected_error_is_printed_without_a_traceback(
    error: BaseException, status: int, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.run("up", Layout(tmp_path), fail_with(error), LookupError) == status
    output = capsys.readouterr()
    assert (output.out, output.err) == ("", message)


@pytest.mark.parametrize("error", [ValueError("a bug"), PermissionError(errno.EACCES, "Permission denied")])
def test_any_other_error_is_raised(error: Exception, tmp_path: Path) -> None:
    with pytest.raises(type(error)):
        command.run("up", Layout(tmp_path), fail_with(error))


def test_a_command_holds_the_lock_of_the_checkout(tmp_path: Path) -> None:
    def action() -> None:
        assert (tmp_path / ".sandbox" / "lock").exists()

    assert command.run("up", Layout(tmp_path), action) == 0
