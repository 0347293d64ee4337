"""Says what is being done and how long it takes, on a terminal and in a log alike."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

# A log gets a line this often (seconds) while a step runs; a terminal's line is redrawn every second.
_LOG_EVERY = 15.0
_REDRAW_EVERY = 1.0


class Step:
    """A step that runs: ``note`` says how far it is."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.started = time.monotonic()
        self.progress = ""
        self.done = threading.Event()
        self._terminal = sys.stdout.isatty()

    def note(self, progress: str) -> None:
        """Say how far the step is; shown with the next line."""
        self.progress = progress

    def _line(self) -> str:
        details = [f"{time.monotonic() - self.started:.0f} s", *([self.progress] if self.progress else [])]
        return f"  {self.title}: {', '.join(details)}"

    def watch(self) -> None:
        """Show the step again and again until it is done."""
        while not self.done.wait(_REDRAW_EVERY if self._terminal else _LOG_EVERY):
            if self._terminal:
                print(f"\r\x1b[K{self._line()} ...", end="", flush=True)
            else:
                print(f"{self._line()} ...", flush=True)

    def end(self, outcome: str) -> None:
        """Say how it ended."""
        self.done.set()
        start = "\r\x1b[K" if self._terminal else ""
        print(f"{start}  {self.title}: {outcome}, {time.monotonic() - self.started:.1f} s", flush=True)


@contextmanager
def step(title: str) -> Iterator[Step]:
    """Run a step: it is announced while it lasts, and its end is told with the time that it took."""
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


def say(text: str) -> None:
    """Tell something that took no time."""
    print(f"  {text}", flush=True)
