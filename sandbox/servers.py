"""Start, find and stop the server processes of a sandbox.

A server's environment carries its name and the path of its sandbox, and it is found by them alone.
A file of process IDs could be lost, be out of date, or name an unrelated process after a reboot.
"""

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from sandbox.layout import SandboxError
from sandbox.parent import die_with_parent

_MARKER = "ML_PLATFORM_SANDBOX_SERVER"
# In seconds.
_STOP_TIMEOUT = 10.0
_POLL_INTERVAL = 0.1

# The heap growth, in percent, that triggers a garbage collection. Four times the default takes a seventh
# less CPU time, for 100 MB more memory over all servers.
_GOGC = {"GOGC": "400"}


def running(sandbox: Path) -> dict[str, psutil.Process]:
    """The running servers of a sandbox, by name."""
    found = {}
    for process in psutil.process_iter():
        try:
            marker = process.environ().get(_MARKER, "")
            if marker.startswith(f"{sandbox}:") and process.status() != psutil.STATUS_ZOMBIE:
                found[marker.rsplit(":", 1)[1]] = process
        except psutil.Error:  # it has exited, or another user owns it
            continue
    return found


def stop(sandbox: Path) -> None:
    """Kill all servers of a sandbox."""
    kill(list(running(sandbox).values()))


def kill(processes: Sequence[psutil.Process]) -> None:
    """Kill processes and wait until they have exited. The servers' data survives a kill or is disposable."""
    for process in processes:
        process.kill()
    psutil.wait_procs(processes, timeout=_STOP_TIMEOUT)


@dataclass(frozen=True)
class Server:
    """A server process of a sandbox."""

    name: str
    command: tuple[str, ...]
    sandbox: Path
    """The folder of its sandbox."""
    logs: Path
    """The folder of its log file."""
    bound: bool = False
    """Whether it is killed when the thread that has started it ends, even if that is killed."""

    @property
    def log(self) -> Path:
        """The file that receives its output."""
        return self.logs / f"{self.name}.log"

    def start(self, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Start the server in a new session: Ctrl-C does not reach it, and it outlives this program unless bound."""
        self.logs.mkdir(parents=True, exist_ok=True)
        marker = {_MARKER: f"{self.sandbox}:{self.name}"}
        with self.log.open("ab") as log:
            return subprocess.Popen(
                list(self.command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.logs,
                env={**os.environ, **environment, **_GOGC, **marker},
                start_new_session=True,
                preexec_fn=die_with_parent if self.bound else None,
            )

    def wait(self, process: subprocess.Popen[bytes], ready: Callable[[], bool], timeout: float) -> None:
        """Wait until the server is ready.

        Raises SandboxError with the end of its log if it exits, or is not ready within the timeout (seconds).
        """
        end = time.monotonic() + timeout
        while not ready():
            if process.poll() is not None:
                raise SandboxError(f"{self.name} exited during startup. {self.log_tail()}")
            if time.monotonic() > end:
                raise SandboxError(f"{self.name} is not ready after {timeout:.0f} s. {self.log_tail()}")
            time.sleep(_POLL_INTERVAL)

    def log_tail(self) -> str:
        """The last lines of the log, its path, and what to do about a persistent failure."""
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:]
        except OSError:
            lines = []
        advice = "If the error persists, recreate the cluster: run make down, then the same command again."
        return "\n".join([f"The end of {self.log}:", *(f"    {line[:300]}" for line in lines), advice])
