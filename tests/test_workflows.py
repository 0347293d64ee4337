"""The workflows, before the eyes of a scanner that knows how such are attacked."""

import subprocess
import sys
from pathlib import Path

WORKFLOWS = Path(__file__).resolve().parent.parent / ".github" / "workflows"

INJECTION = """
on: pull_request_target
jobs:
  greet:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: echo "${{ github.event.pull_request.title }}"
"""


def zizmor(path: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "zizmor"), "--offline", "--no-progress", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_zizmor_finds_nothing() -> None:
    done = zizmor(WORKFLOWS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No findings to report" in done.stdout


def test_zizmor_does_find_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "greet.yml").write_text(INJECTION, encoding="utf-8")
    done = zizmor(tmp_path / "greet.yml")
    assert done.returncode != 0
    for finding in ("template-injection", "dangerous-triggers", "unpinned-uses"):
        assert finding in done.stdout
