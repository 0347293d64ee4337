"""Durations as text."""


def duration(seconds: float) -> str:
    """A simulated duration, as precise as the simulation: ``12 s``, ``3 min``."""
    return f"{max(1, round(seconds))} s" if seconds < 90 else f"{round(seconds / 60)} min"
