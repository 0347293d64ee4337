"""Changes that others have written, each checked in three ways before it is deployed: see tests/review/changes.py."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import fresh_copy
from tests.e2e.proposals import Bench, Noticed, started
from tests.review.changes import PROJECT, read

pytestmark = pytest.mark.nightly

_SETS = sorted((PROJECT / "tests" / "review").glob("changes_*.yaml"))
# Of about forty harmful and forty harmless changes.
_MAX_MISSED = 2
_MAX_FALSE_ALARMS = 1


@pytest.mark.parametrize("file", _SETS, ids=lambda file: file.stem)
def test_harmful_changes_are_noticed_and_harmless_ones_are_not(
    file: Path, record_property: Callable[[str, object], None]
) -> None:
    changes = read(file)
    noticed: dict[str, Noticed] = {}
    for level in ("manifests", "stack"):
        for project in fresh_copy(f"{file.stem}-{level}"):
            bench = Bench(started(project), level, "--twin")
            noticed |= {change.name: bench.notice(change) for change in changes if change.level == level}
    table = [f"{'':60} preview  dry run  review  seconds  why"]
    for change in sorted(changes, key=lambda change: not change.harmful):
        by = noticed[change.name]
        marks = ["noticed" if flag else "-" for flag in (by.preview, by.dry_run, by.review)]
        name = f"{'harmful' if change.harmful else 'harmless'}: {change.name}"
        table.append(f"{name:60} {marks[0]:8} {marks[1]:8} {marks[2]:7} {by.seconds:7.1f}  {by.why[:100]}")
    record_property("table", "\n".join(table))
    missed = [change.name for change in changes if change.harmful and not noticed[change.name].review]
    false_alarms = [change.name for change in changes if not change.harmful and noticed[change.name].review]
    assert len(missed) <= _MAX_MISSED, missed
    assert len(false_alarms) <= _MAX_FALSE_ALARMS, false_alarms
