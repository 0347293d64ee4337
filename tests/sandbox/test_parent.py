"""Processes that end with their parent."""

import os
import signal
import subprocess
import sys

import psutil

CODE = """
import subprocess, sys, time
from sandbox.parent import die_with_parent
child = subprocess.Popen(["sleep", "60"], preexec_fn=die_with_parent if sys.argv[1] == "bound" else None)
print(child.pid, flush=True)
time.sleep(60)
"""


def child_of_a_killed_process(kind: str) -> psutil.Process:
    parent = subprocess.Popen([sys.executable, "-c", CODE, kind], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    return child


def test_a_process_ends_when_its_parent_is_killed() -> None:
    _, alive = psutil.wait_procs([child_of_a_killed_process("bound")], timeout=5)
    assert not [child for child in alive if child.status() != psutil.STATUS_ZOMBIE]


def test_any_other_process_goes_on() -> None:
    child = child_of_a_killed_process("unbound")
    assert child.status() == psutil.STATUS_SLEEPING
    child.kill()
