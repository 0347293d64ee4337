"""Starting, watching and stopping one server process.

A server is remembered by its process number and its time of birth, so that after a reboot no
stranger with the same number is taken for it, or stopped in its place.
"""

import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from sandbox.layout import SandboxError

_STOP_TIMEOUT = 10.0


@dataclass(frozen=True)
class Server:
    """A server process of the sandbox."""

    name: str
    command: Sequence[str]
    folder: Path
    """Where its log and its record are."""

    @property
    def log(self) -> Path:
        """What it prints."""
        return self.folder / f"{self.name}.log"

    @property
    def _record(self) -> Path:
        return self.folder / f"{self.name}.json"

    def process(self) -> psutil.Process | None:
        """The running process; None where it never ran, has ended or is a stranger by now."""
        try:
            record = json.loads(self._record.read_text(encoding="utf-8"))
            process = psutil.Process(record["pid"])
            if process.create_time() != record["born"] or process.status() == psutil.STATUS_ZOMBIE:
                return None
        except (OSError, ValueError, KeyError, psutil.NoSuchProcess):
            return None
        return process

    def start(self, environment: Mapping[str, str]) -> None:
        """Start it, in a session of its own: it outlives this program, and Ctrl-C does not reach it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                list(self.command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={**os.environ, **environment},
                start_new_session=True,
            )
        record = {"pid": process.pid, "born": psutil.Process(process.pid).create_time()}
        self._record.write_text(json.dumps(record), encoding="utf-8")

    def stop(self) -> None:
        """End it: politely, then by force."""
        process = self.process()
        if process is not None:
            process.terminate()
            try:
                process.wait(_STOP_TIMEOUT)
            except psutil.TimeoutExpired:
                process.kill()
                process.wait(_STOP_TIMEOUT)
        self._record.unlink(missing_ok=True)

    def wait(self, ready: Callable[[], bool], timeout: float) -> None:
        """Wait until it is ready; raises SandboxError with the end of its log where it is not."""
        end = time.monotonic() + timeout
        while not ready():
            if self.process() is None:
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
        return "\n".join([f"The end of {self.log}:", *(f"    {line[:300]}" for line in lines)])
