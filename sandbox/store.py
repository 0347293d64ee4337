"""The user's cache of finished builds. An entry is created once, and is either complete or absent."""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.layout import SandboxError, cache
from sandbox.progress import step


def programs() -> Path:
    """The folder of the finished builds."""
    return cache() / "programs"


@contextmanager
def create_once(entry: Path, name: str) -> Iterator[Path | None]:
    """Yield a temporary folder that is renamed to ``entry`` at the end, or None if ``entry`` exists.

    A lock serializes all checkouts of the user. If the block fails, the temporary folder is deleted.
    The folder of a process that was killed is deleted by the next call.
    """
    with locked(programs() / f".{name}.lock", f"{name}: wait for another checkout"):
        if entry.is_dir():  # created by another checkout while this one waited
            yield None
            return
        for leftover in programs().glob(f".partial-{name}-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        partial = Path(tempfile.mkdtemp(prefix=f".partial-{name}-", dir=programs()))
        try:
            yield partial
            partial.chmod(0o755)
            partial.rename(entry)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def locked(file: Path, waiting: str) -> Iterator[None]:
    """Hold an exclusive lock. If another process holds it, show the step ``waiting`` until it is released.

    The kernel releases the lock of a process that is killed.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with step(waiting):
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def check_space(folder: Path, required: int, purpose: str) -> None:
    """Raise SandboxError if the file system of a folder has less free space than required (bytes)."""
    free = shutil.disk_usage(folder).free
    if free < required:
        raise SandboxError(
            f"the file system of {folder} has {free >> 20} MiB free; {purpose} requires {required >> 20} MiB.\n"
            "Free some space, then run the same command again."
        )
