"""The Pulumi CLI: the commands that a user would type, and recovery after a run that was killed."""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

from operations.file_backend import FileBackend
from sandbox.progress import log, step

# In seconds.
_WATCH_INTERVAL = 2.0
_STOP_TIMEOUT = 10.0
# In updates.
_HISTORY_SIZE = 1000


class OperationError(Exception):
    """An error that the operator can act on. It is printed without a traceback."""


class PulumiCli:
    """Runs ``pulumi`` on the stacks of one project."""

    def __init__(
        self,
        project: Path,
        environment: Mapping[str, str] | None = None,
        *,
        backend: FileBackend | None = None,
        stopped_servers: Callable[[], list[str]] = list,
    ) -> None:
        self._project = project
        """The folder of Pulumi.yaml."""
        self._environment = environment or {}
        """Environment variables, in addition to those of this process."""
        self._backend = backend
        """The backend to recover stacks in. None if it is shared, and recovery is left to its users."""
        self._stopped_servers = stopped_servers
        """Returns the names of those servers of the cluster that have stopped, while a command runs."""

    def up(self, stack: str) -> None:
        """Deploy a stack."""
        self.select(stack)
        self._recover(stack)
        self._run("up", stack, "--yes", "--skip-preview")

    def preview(self, stack: str) -> None:
        """Show what ``up`` would change."""
        self.select(stack)
        self._run("preview", stack)

    def destroy(self, stack: str) -> None:
        """Delete a stack's objects, except protected ones, and remove the stack with its state.

        This leaves protected objects in the cluster without a stack. Use it only if the cluster is disposable.
        """
        self._recover(stack)
        self._run("destroy", stack, "--yes", "--skip-preview", "--exclude-protected")
        self._capture("stack", "rm", "--yes", "--force", "--preserve-config", "--stack", stack)

    def select(self, stack: str) -> None:
        """Select a stack, and create it if it does not exist."""
        if self._backend is not None:
            self._backend.restore_checkpoints()
        self._capture("stack", "select", "--create", "--stack", stack)

    def history(self, stack: str) -> list[dict[str, Any]]:
        """The updates of a stack, newest first."""
        output = self._capture("stack", "history", "--json", "--page-size", str(_HISTORY_SIZE), "--stack", stack)
        updates: list[dict[str, Any]] = json.loads(output) or []
        return updates

    def configure(self, stack: str, command: str, path: str, *arguments: str) -> None:
        """Run ``pulumi config set`` or ``rm`` on a path. The comments in the stack's file are kept."""
        self._capture("config", command, "--stack", stack, "--path", path, *arguments)

    def _recover(self, stack: str) -> None:
        """Remove the lock of a killed run, and find out the outcome of its pending operations."""
        if self._backend is None:
            return
        holder = self._backend.lock_holder(stack)
        if holder is not None:
            raise OperationError(
                f"stack {stack}: locked by another pulumi (process {holder}): wait until it exits.\n"
                f"If it hangs, kill it, then run: pulumi cancel --yes --stack {stack}"
            )
        if self._backend.is_locked(stack):
            log(f"stack {stack}: removing the lock of a run that was killed")
            self._capture("cancel", "--yes", "--stack", stack)
        if self._backend.has_pending_operations(stack):
            with step(f"stack {stack}: refresh after an interrupted run"):
                self._capture("refresh", "--yes", "--skip-preview", "--clear-pending-creates", "--stack", stack)

    def _run(self, command: str, stack: str, *flags: str) -> None:
        """Run a command whose output the user sees. Terminate it if a server of the cluster stops.

        Pulumi does not notice: it would wait ten minutes for objects of a cluster that no longer exists.
        """
        with subprocess.Popen(["pulumi", command, "--stack", stack, *flags], **self._options()) as process:
            stopped: list[str] = []
            while process.poll() is None and not stopped:
                try:
                    process.wait(_WATCH_INTERVAL)
                except subprocess.TimeoutExpired:
                    stopped = self._stopped_servers()
                except KeyboardInterrupt:  # Pulumi has received the signal too, and exits gracefully
                    process.wait()
                    raise
            if stopped:
                _terminate(process)
            elif process.returncode != 0:  # it may have failed before the next check, because a server has stopped
                stopped = self._stopped_servers()
            if stopped:
                raise OperationError(
                    f"the cluster stopped during pulumi {command}: {', '.join(stopped)} exited.\n"
                    "Run the same command again: it restarts the cluster and resumes."
                )
        if process.returncode != 0:
            raise OperationError(f"stack {stack}: pulumi {command} failed: see its output above")

    def _capture(self, *arguments: str) -> str:
        """Run a command and return its output. Its error output is shown only if it fails."""
        command = ["pulumi", "--non-interactive", *arguments]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, **self._options())
        if done.returncode != 0:
            raise OperationError(f"pulumi {arguments[0]} failed:\n{(done.stderr or done.stdout).strip()}")
        return str(done.stdout)

    def _options(self) -> dict[str, Any]:
        return {"cwd": self._project, "env": {**os.environ, **self._environment}, "stdin": subprocess.DEVNULL}


def _terminate(process: subprocess.Popen[bytes]) -> None:
    """Interrupt Pulumi. If it does not exit in time, kill it. Kill its plugins."""
    family = [process.pid, *(child.pid for child in psutil.Process(process.pid).children(recursive=True))]
    process.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_TIMEOUT)
    for process_id in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(process_id).kill()
