"""Pulumi's file backend: which stacks have resources, and what a killed run of Pulumi leaves behind."""

import contextlib
import json
import shutil
from pathlib import Path
from typing import Any

import psutil

from config.loader import PROJECT
from sandbox.progress import log


class FileBackend:
    """The state of this project's stacks in a folder that no other machine writes to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / ".pulumi"

    def deployed(self) -> list[str]:
        """The stacks that have resources, or may have some because an operation was interrupted."""
        self.restore_checkpoints()
        found = []
        for file in sorted(self._checkpoints()):
            latest = _latest(file)
            if latest.get("resources") or latest.get("pending_operations"):
                found.append(file.stem)
        return found

    def restore_checkpoints(self) -> None:
        """Restore each checkpoint that Pulumi was killed while writing from the backup of the previous one."""
        for file in self._checkpoints():
            if _is_complete(file) or self.lock_holder(file.stem) is not None:
                continue
            backup = file.with_name(f"{file.name}.bak")
            if _is_complete(backup):
                log(f"stack {file.stem}: its checkpoint is incomplete: restoring the previous one")
                shutil.copyfile(backup, file)
            else:
                log(f"stack {file.stem}: its checkpoint is incomplete and has no backup: starting with an empty state")
                file.unlink()

    def is_locked(self, stack: str) -> bool:
        """Whether a stack has a lock, which a killed process may have left behind."""
        return bool(self._locks(stack))

    def lock_holder(self, stack: str) -> int | None:
        """The process ID of the running pulumi that holds a stack's lock, or None."""
        for lock in self._locks(stack):
            with contextlib.suppress(ValueError):  # an incomplete lock file
                holder = json.loads(lock.read_text(encoding="utf-8")).get("pid")
                if holder is not None and _is_pulumi(holder):
                    return int(holder)
        return None

    def has_pending_operations(self, stack: str) -> bool:
        """Whether a stack has operations whose outcome is unknown."""
        return any(_latest(file).get("pending_operations") for file in self._checkpoints() if file.stem == stack)

    def _checkpoints(self) -> list[Path]:
        return list((self._folder / "stacks" / PROJECT).glob("*.json"))

    def _locks(self, stack: str) -> list[Path]:
        return list((self._folder / "locks" / "organization" / PROJECT / stack).glob("*.json"))


def _latest(file: Path) -> dict[str, Any]:
    content = json.loads(file.read_text(encoding="utf-8"))
    latest: dict[str, Any] = content.get("checkpoint", {}).get("latest") or {}
    return latest


def _is_complete(file: Path) -> bool:
    """Whether a file exists and was written to the end."""
    try:
        json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True


def _is_pulumi(process_id: int) -> bool:
    """Whether a process exists and is a running pulumi."""
    try:
        process = psutil.Process(process_id)
        return "pulumi" in process.name() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
