"""Pulumi's commands on the sandbox: what a user would type, after fixing what a crash left."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from sandbox.layout import Layout, SandboxError
from sandbox.progress import say, step

_WATCH_EVERY = 2.0
_END_TIMEOUT = 10.0
# So many updates back, a version may be looked for.
_HISTORY = 1000


def check(layout: Layout, stack: str) -> dict[str, dict[str, Any]]:
    """Check a stack's file before anything is built or started; returns its node pools."""
    command = [sys.executable, "-m", "config", "check", stack]
    done = subprocess.run(command, cwd=layout.project, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SandboxError(done.stderr.strip())
    pools: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return pools


class Stacks:
    """The stacks in one sandbox's state."""

    def __init__(self, layout: Layout, fallen: Callable[[], list[str]], *, elsewhere: bool = False) -> None:
        self._layout = layout
        self._fallen = fallen
        """Names the cluster's servers that do not run."""
        self._elsewhere = elsewhere
        """Whether the backend and the cluster are those of the environment, not the sandbox's."""

    def clear_for(self, stack: str) -> None:
        """Take other stacks down: the sandbox plays the cluster of one stack at a time."""
        for other in self.deployed():
            if other != stack:
                say(f"stack {other} is up in this sandbox, which has one cluster for one stack: taking it down first")
                self.destroy(other)

    def up(self, stack: str) -> None:
        """Bring a stack up."""
        self.select(stack)
        self._fix(stack)
        self._run("up", stack, "--yes", "--skip-preview")

    def preview(self, stack: str) -> None:
        """Show what ``up`` would change."""
        self.select(stack)
        self._run("preview", stack)

    def destroy(self, stack: str) -> None:
        """Destroy a stack's objects and forget the stack.

        What the stack protects is left to the end of the cluster: nothing in a sandbox outlives that.
        """
        self._fix(stack)
        self._run("destroy", stack, "--yes", "--skip-preview", "--exclude-protected")
        self._quietly("stack", "rm", "--yes", "--force", "--preserve-config", "--stack", stack)

    def select(self, stack: str) -> None:
        """Select a stack, made where it is new."""
        self._fix_checkpoints()
        self._quietly("stack", "select", "--create", "--stack", stack)

    def history(self, stack: str) -> list[dict[str, Any]]:
        """Pulumi's account of a stack's updates, newest first."""
        output = self._quietly("stack", "history", "--json", "--page-size", str(_HISTORY), "--stack", stack)
        updates: list[dict[str, Any]] = json.loads(output) or []
        return updates

    def configure(self, stack: str, command: str, path: str, *arguments: str) -> None:
        """Set or remove a value of a stack's configuration, which keeps its file's comments."""
        self._quietly("config", command, "--stack", stack, "--path", path, *arguments)

    def deployed(self) -> list[str]:
        """The stacks of this sandbox that have resources, or had them when something was interrupted."""
        found = []
        self._fix_checkpoints()
        for file in sorted(self._stack_files()):
            latest = self._checkpoint(file)
            if latest.get("resources") or latest.get("pending_operations"):
                found.append(file.stem)
        return found

    def _fix_checkpoints(self) -> None:
        """Go back one step where Pulumi was killed while it wrote down what it has done."""
        for file in self._stack_files():
            if _is_whole(file) or self._holder(file.stem) is not None:
                continue
            before = file.with_name(f"{file.name}.bak")
            if _is_whole(before):
                say(f"stack {file.stem}: its state was cut off by a kill: going back to the one before")
                shutil.copyfile(before, file)
            else:
                say(f"stack {file.stem}: its state was cut off by a kill, with none before: starting anew")
                file.unlink()

    def _holder(self, stack: str) -> int | None:
        """The number of the living process that has locked a stack."""
        for lock in self._locks(stack):
            with contextlib.suppress(ValueError):  # a lock that was cut off, too
                holder = json.loads(lock.read_text(encoding="utf-8")).get("pid")
                if holder is not None and _is_pulumi(holder):
                    return int(holder)
        return None

    def _locks(self, stack: str) -> list[Path]:
        return list((self._layout.state / ".pulumi" / "locks" / "organization" / "ml-platform" / stack).glob("*.json"))

    def _fix(self, stack: str) -> None:
        """Clear what an interrupted run left: its lock, and operations of which nobody knows the end."""
        holder = self._holder(stack)
        if holder is not None:
            raise SandboxError(
                f"another pulumi (process {holder}) is at work on stack {stack}: wait for it.\n"
                f"If it hangs, end it, then run: pulumi cancel --yes --stack {stack}"
            )
        if self._locks(stack):
            say(f"stack {stack}: removing the lock of a run that was killed")
            self._quietly("cancel", "--yes", "--stack", stack)
        pending = [self._checkpoint(file) for file in self._stack_files() if file.stem == stack]
        if any(checkpoint.get("pending_operations") for checkpoint in pending):
            with step(f"stack {stack}: a run was interrupted: looking what it has made"):
                self._quietly("refresh", "--yes", "--skip-preview", "--clear-pending-creates", "--stack", stack)

    def _stack_files(self) -> list[Path]:
        return list((self._layout.state / ".pulumi" / "stacks" / "ml-platform").glob("*.json"))

    @staticmethod
    def _checkpoint(file: Path) -> dict[str, Any]:
        content = json.loads(file.read_text(encoding="utf-8"))
        latest: dict[str, Any] = content.get("checkpoint", {}).get("latest") or {}
        return latest

    def _run(self, command: str, stack: str, *flags: str) -> None:
        """Run a command of Pulumi's whose output is the user's, and end it where the cluster falls.

        Pulumi itself would go on waiting for objects of a cluster that is gone, for ten minutes.
        """
        with subprocess.Popen(["pulumi", command, "--stack", stack, *flags], **self._process()) as process:
            fallen: list[str] = []
            while process.poll() is None and not fallen:
                try:
                    process.wait(_WATCH_EVERY)
                except subprocess.TimeoutExpired:
                    fallen = self._fallen()
                except KeyboardInterrupt:  # Pulumi has got it too, and ends in good order
                    process.wait()
                    raise
            if fallen:
                _end(process)
                raise SandboxError(
                    f"the cluster fell while pulumi {command} ran: {', '.join(fallen)} ended.\n"
                    "Run the same command again: it starts the cluster again and goes on."
                )
        if process.returncode != 0:
            raise SandboxError(f"pulumi {command} of stack {stack} failed: see above")

    def _quietly(self, *arguments: str) -> str:
        """Run a command of Pulumi's, and return its output; it is shown only where it fails."""
        command = ["pulumi", "--non-interactive", *arguments]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, **self._process())
        if done.returncode != 0:
            raise SandboxError(f"pulumi {arguments[0]} failed:\n{(done.stderr or done.stdout).strip()}")
        return str(done.stdout)

    def _process(self) -> dict[str, Any]:
        environment = {**os.environ, **({} if self._elsewhere else self._layout.environment())}
        return {"cwd": self._layout.project, "env": environment, "stdin": subprocess.DEVNULL}


def _end(process: subprocess.Popen[bytes]) -> None:
    """End Pulumi with its plugins: in good order where it can, else by force."""
    family = [process.pid, *(child.pid for child in psutil.Process(process.pid).children(recursive=True))]
    process.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_END_TIMEOUT)
    for number in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(number).kill()


def _is_whole(file: Path) -> bool:
    """Whether a file of Pulumi's was written to its end."""
    try:
        json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True


def _is_pulumi(number: int) -> bool:
    """Whether a process number is that of a pulumi that lives."""
    try:
        process = psutil.Process(number)
        return "pulumi" in process.name() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
