"""The user's cache: what takes long to make is made once, whole or not at all."""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.layout import SandboxError, cache
from sandbox.progress import step


def programs() -> Path:
    """The folder that the finished builds are kept in."""
    return cache() / "programs"


@contextmanager
def making(home: Path, name: str) -> Iterator[Path | None]:
    """Yield a folder to fill, which becomes ``home`` at the end; None where ``home`` is there already.

    One at a time among all checkouts of the user. Where filling fails nothing is left, and what a
    killed run left is removed by the next one.
    """
    with locked(programs() / f".{name}.lock", f"{name}: another checkout is at it"):
        if home.is_dir():  # another checkout made it meanwhile
            yield None
            return
        for leftover in programs().glob(f".partial-{name}-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        partial = Path(tempfile.mkdtemp(prefix=f".partial-{name}-", dir=programs()))
        try:
            yield partial
            partial.chmod(0o755)
            partial.rename(home)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def locked(file: Path, busy: str) -> Iterator[None]:
    """Hold a lock; where somebody else does, say so and wait. A killed holder holds nothing."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with step(busy):
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def check_space(folder: Path, needed: int, purpose: str) -> None:
    """Raise SandboxError where the disk of a folder has not the space (bytes) that a purpose needs."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise SandboxError(
            f"the disk of {folder} has {free >> 20} MiB free, and {purpose} needs {needed >> 20}.\n"
            "Free some space, then run the same command again."
        )
