"""The picture of a rollout: the ready endpoints of each Service over time, as tried on a twin."""

from collections.abc import Sequence

from review import twin_messages as messages
from review.layout import Section, code
from review.messages import counted
from review.twin.report import TwinReport
from review.twin.rollouts import Rollout
from review.twin.text import duration

# The length of a chart in characters.
_COLUMNS = 24
_BLOCKS = "▁▂▃▄▅▆▇█"
_ZERO = "✗"


def timeline(report: TwinReport | None) -> Section:
    """A line for each Service whose ready endpoints change."""
    found = report.rollouts if report else ()
    shown = [rollout for rollout in found if _changes(rollout)]
    unchanged = len(found) - len(shown)
    after = (str(messages.SERVICES_UNCHANGED(services=counted(unchanged, "Service"))),) if unchanged else ()
    header = ("Service", f"Ready endpoints, {_length(shown)}", "Wanted", "Lowest", "Below wanted", "None ready")
    return Section("Rollout, as tried on a twin", header=header if shown else (), rows=_rows(shown), after=after)


def _changes(rollout: Rollout) -> bool:
    return len(rollout.samples) > 1 or rollout.ready_after < rollout.wanted_after


def _length(shown: Sequence[Rollout]) -> str:
    return f"about {duration(max((rollout.seconds for rollout in shown), default=0.0))}"


def _rows(shown: Sequence[Rollout]) -> tuple[tuple[str, ...], ...]:
    worst_first = sorted(shown, key=lambda rollout: (-rollout.zero_seconds, rollout.minimum, rollout.target))
    return tuple(
        (
            code(rollout.target),
            code(chart(rollout)),
            _wanted(rollout),
            str(rollout.minimum),
            duration(rollout.below_seconds) if rollout.below_seconds else "-",
            duration(rollout.zero_seconds) if rollout.zero_seconds else "-",
        )
        for rollout in worst_first
    )


def _wanted(rollout: Rollout) -> str:
    before, after = rollout.wanted_before, rollout.wanted_after
    return str(before) if before == after else f"{before} → {after}"


def chart(rollout: Rollout) -> str:
    """The lowest number of ready endpoints in each interval, as a bar: ``███▅▅███``; a cross stands for none."""
    top = max(rollout.wanted_before, rollout.wanted_after, *(sample.ready for sample in rollout.samples), 1)
    step = (rollout.seconds or 1.0) / _COLUMNS
    return "".join(_block(_lowest(rollout, index * step, (index + 1) * step), top) for index in range(_COLUMNS))


def _lowest(rollout: Rollout, start: float, end: float) -> int:
    """The lowest number of ready endpoints in an interval."""
    current = rollout.samples[0].ready
    lowest: int | None = None
    for sample in rollout.samples:
        if sample.at <= start:
            current = sample.ready
        elif sample.at < end:
            lowest = sample.ready if lowest is None else min(lowest, sample.ready)
    return current if lowest is None else min(current, lowest)


def _block(ready: int, top: int) -> str:
    return _BLOCKS[round(ready / top * (len(_BLOCKS) - 1))] if ready else _ZERO
