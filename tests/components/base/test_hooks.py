"""Resource hooks, and the interrupt that follows their errors."""

import signal
import subprocess
import sys

import pulumi

from components.base import hooks
from tests.e2e.project import SOURCE
from tests.mocks import deploy

_PROGRAM = """
import signal
from types import SimpleNamespace
from unittest.mock import patch

import pulumi
from components.base import hooks
{handler}
with patch.object(pulumi, "ResourceHook", lambda *given: SimpleNamespace(given=given)):
    hooks.hook("name", print)
signal.raise_signal(signal.SIGINT)
print("went on")
"""


def _run(handler: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _PROGRAM.format(handler=handler)]
    return subprocess.run(command, cwd=SOURCE, capture_output=True, text=True, check=False, timeout=60)


def test_an_interrupt_ends_the_program_without_a_traceback() -> None:
    done = _run()
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_a_program_keeps_its_own_handler() -> None:
    done = _run("signal.signal(signal.SIGINT, lambda *_: print('handled'))")
    assert (done.returncode, done.stdout) == (0, "handled\nwent on\n")


def test_options_are_unchanged_under_mocks() -> None:
    def program() -> None:
        assert not hooks.supported()
        opts = pulumi.ResourceOptions(protect=True)
        assert hooks.before_update("name", print, opts) is opts

    deploy(program)
