"""Starting, watching and stopping the server processes of a sandbox.

A server carries its name and its sandbox in its environment. It is found by that alone: there is
no file of process numbers to be lost, to lag behind, or to name a stranger after a reboot.
"""

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from sandbox.layout import SandboxError

_MARK = "ML_PLATFORM_SANDBOX_SERVER"
_STOP_TIMEOUT = 10.0

# Go collects its garbage when the heap has grown by so many percent. Four times the default takes a
# seventh less processor time for a hundred MB more, of all servers together.
_GOGC = {"GOGC": "400"}


def running(sandbox: Path) -> dict[str, psutil.Process]:
    """The servers of a sandbox that run, by name."""
    found = {}
    for process in psutil.process_iter():
        try:
            mark = process.environ().get(_MARK, "")
            if mark.startswith(f"{sandbox}:") and process.status() != psutil.STATUS_ZOMBIE:
                found[mark.rsplit(":", 1)[1]] = process
        except psutil.Error:  # it ended meanwhile, or belongs to somebody else
            continue
    return found


def stop(sandbox: Path) -> None:
    """End all servers of a sandbox."""
    end(list(running(sandbox).values()))


def end(processes: Sequence[psutil.Process]) -> None:
    """End processes by force: their data are thrown away, or fixed at the next start."""
    for process in processes:
        process.kill()
    psutil.wait_procs(processes, timeout=_STOP_TIMEOUT)


@dataclass(frozen=True)
class Server:
    """A server process of a sandbox."""

    name: str
    command: tuple[str, ...]
    sandbox: Path
    """The folder of the sandbox that it belongs to."""
    logs: Path

    @property
    def log(self) -> Path:
        """What it prints."""
        return self.logs / f"{self.name}.log"

    def start(self, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Start it, in a session of its own: it outlives this program, and Ctrl-C does not reach it."""
        self.logs.mkdir(parents=True, exist_ok=True)
        mark = {_MARK: f"{self.sandbox}:{self.name}"}
        with self.log.open("ab") as log:
            return subprocess.Popen(
                list(self.command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.logs,
                env={**os.environ, **environment, **_GOGC, **mark},
                start_new_session=True,
            )

    def wait(self, process: subprocess.Popen[bytes], ready: Callable[[], bool], timeout: float) -> None:
        """Wait until it is ready; raises SandboxError with the end of its log where it is not."""
        end = time.monotonic() + timeout
        while not ready():
            if process.poll() is not None:
                raise SandboxError(f"{self.name} ended right after its start. {self.last_words()}")
            if time.monotonic() > end:
                raise SandboxError(f"{self.name} is not ready after {timeout:.0f} s. {self.last_words()}")
            time.sleep(0.1)

    def last_words(self) -> str:
        """The end of its log, and where the rest is."""
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:]
        except OSError:
            lines = []
        advice = "If it goes on like this, make a new cluster: make down, then run the same command again."
        return "\n".join([f"The end of {self.log}:", *(f"    {line[:300]}" for line in lines), advice])
