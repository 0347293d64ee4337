"""Progress output: what is running and how long it takes, readable on a terminal and in a log."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

# In seconds. A log gets a new line each time; a terminal's line is redrawn.
_LOG_INTERVAL = 15.0
_REDRAW_INTERVAL = 1.0


class Step:
    """A step in progress."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.started = time.monotonic()
        self.progress = ""
        self.done = threading.Event()
        self._terminal = sys.stdout.isatty()

    def note(self, progress: str) -> None:
        """Set the progress that the next line shows."""
        self.progress = progress

    def _line(self) -> str:
        details = [f"{time.monotonic() - self.started:.0f} s", *([self.progress] if self.progress else [])]
        return f"  {self.title}: {', '.join(details)}"

    def watch(self) -> None:
        """Print the step at each interval until it is done."""
        while not self.done.wait(_REDRAW_INTERVAL if self._terminal else _LOG_INTERVAL):
            if self._terminal:
                print(f"\r\x1b[K{self._line()} ...", end="", flush=True)
            else:
                print(f"{self._line()} ...", flush=True)

    def end(self, outcome: str) -> None:
        """Print the outcome and the duration."""
        self.done.set()
        start = "\r\x1b[K" if self._terminal else ""
        print(f"{start}  {self.title}: {outcome}, {time.monotonic() - self.started:.1f} s", flush=True)


@contextmanager
def step(title: str) -> Iterator[Step]:
    """Run a block as a step: print its progress while it runs, then its outcome and duration."""
    running = Step(title)
    watcher = threading.Thread(target=running.watch, daemon=True)
    watcher.start()
    try:
        yield running
    except BaseException:
        running.end("failed")
        raise
    finally:
        running.done.set()
        watcher.join()
    running.end("done")


def log(text: str) -> None:
    """Print one line."""
    print(f"  {text}", flush=True)
