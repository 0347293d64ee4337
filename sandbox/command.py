"""The frame of every command: one at a time in a checkout, errors without a traceback, the total duration."""

import errno
import sys
import time
from collections.abc import Callable

from sandbox import store
from sandbox.layout import Layout, SandboxError
from sandbox.progress import log


def run(name: str, layout: Layout, action: Callable[[], None], *errors: type[Exception]) -> int:
    """Run the action of a command, and return its exit status.

    SandboxError and the classes in ``errors`` are printed without a traceback.
    """
    started = time.monotonic()
    expected: tuple[type[Exception], ...] = (SandboxError, *errors)
    try:
        with store.locked(layout.root / "lock", "wait for another command in this checkout"):
            action()
    except expected as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print(f"no space left on device: {error.filename2 or error.filename or layout.root}", file=sys.stderr)
        print("Free some space, then run the same command again.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted: run the same command again to resume", file=sys.stderr)
        return 130
    log(f"{name}: finished in {time.monotonic() - started:.1f} s")
    return 0
