"""Progress output of steps."""

import re
import sys
import time

import pytest

from sandbox import progress


def test_a_step_prints_its_outcome_and_duration(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.step("build"):
        pass
    progress.log("one line")
    assert re.fullmatch(r"  build: done, 0\.\d s\n  one line\n", capsys.readouterr().out)


def test_a_failed_step_prints_so_and_raises(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="broken"), progress.step("build"):
        raise ValueError("broken")
    assert re.fullmatch(r"  build: failed, 0\.\d s\n", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("terminal", "line"), [(False, "  build: 0 s, 1 of 2 ...\n"), (True, "\r\x1b[K  build: 0 s, 1 of 2 ...")]
)
def test_a_running_step_prints_its_progress(
    terminal: bool, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "_LOG_INTERVAL", 0.05)
    monkeypatch.setattr(progress, "_REDRAW_INTERVAL", 0.05)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    with progress.step("build") as running:
        running.note("1 of 2")
        end = time.monotonic() + 5
        output = ""
        while line not in output and time.monotonic() < end:
            time.sleep(0.05)
            output += capsys.readouterr().out
    assert line in output
