"""The picture of a rollout."""

from review.timeline import chart, timeline
from review.twin.observe import Sample
from review.twin.report import TwinReport
from review.twin.rollouts import Rollout


def rollout(name: str, *samples: tuple[float, int], wanted: tuple[int, int] = (4, 4), zero: float = 0.0) -> Rollout:
    recorded = tuple(Sample(*sample) for sample in samples)
    lowest = min(sample.ready for sample in recorded)
    return Rollout(f"Service web/{name}", *wanted, lowest, zero, zero, 240.0, recorded)


def test_a_chart() -> None:
    found = rollout("a", (0, 4), (60, 2), (120, 0), (121, 1), (180, 4))
    assert chart(found) == "██████▅▅▅▅▅▅✗▃▃▃▃▃██████"


def test_the_lowest_number_in_an_interval_is_shown() -> None:
    assert chart(rollout("a", (0, 4), (15, 0), (16, 4))).startswith("█✗█")


def test_services_that_change_are_listed_worst_first() -> None:
    report = TwinReport(
        rollouts=(
            rollout("fine", (0, 4), (60, 3), (90, 4)),
            rollout("same", (0, 4)),
            rollout("down", (0, 4), (60, 0), (90, 2), wanted=(4, 2), zero=30.0),
        )
    )
    section = timeline(report)
    assert [row[0].strip("\x00\x01") for row in section.rows] == ["Service web/down", "Service web/fine"]
    assert section.rows[0][2:] == ("4 → 2", "0", "30 s", "30 s")
    assert section.rows[1][2:] == ("4", "3", "-", "-")
    assert section.header[1] == "Ready endpoints, about 4 min"
    assert section.after == ("1 Service without a change of ready endpoints.",)


def test_a_service_that_stays_below_what_it_wants_is_listed() -> None:
    assert len(timeline(TwinReport(rollouts=(rollout("a", (0, 2), wanted=(4, 4)),))).rows) == 1


def test_without_a_twin_there_is_no_picture() -> None:
    section = timeline(None)
    assert (section.rows, section.lines, section.after) == ((), (), ())
