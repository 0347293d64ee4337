"""Processes that end with the process that has started them, even if it is killed."""

import ctypes
import signal

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Let the kernel kill this process when the thread that has started it ends. To run before its program does."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
