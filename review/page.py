"""A review as a page: sections of text and tables, the most important first, no longer than a comment may be."""

from collections.abc import Sequence
from decimal import Decimal

from components.base.quantities import format_quantity
from review.capacity import HOURS_PER_MONTH, Gpus, QuotaUse
from review.layout import Page, Section, code
from review.review import ObjectChange, Review, WorkloadChange

_BAR = 10


_KEYS_OF_A_NAMESPACE = 3


# How many workloads a note names.
_NAMES = 5


_ALWAYS, _RUNNING = "all the time", "while jobs run"


_VERDICTS = {
    "stop": "would fail or is forbidden",
    "look": "look before you approve",
    "fine": "nothing is interrupted",
    "nothing": "no changes",
}


MARKS = {"stop": "❌", "look": "⚠️", "fine": "✅", "nothing": "✅"}


_DONE = {"create": "created", "update": "updated", "replace": "replaced", "delete": "deleted"}


def page(review: Review) -> Page:
    """The page of a review."""
    sections = [
        Section("Stops it", lines=tuple(review.problems)),
        _interruptions(review),
        *(_workload(workload) for workload in sorted(review.workloads, key=_new)),
        _quotas(review.quotas),
        _gpus(review.gpus_before, review.gpus_after),
        _findings(review),
        Section("Not of this change: pending already", lines=tuple(code(name) for name in review.pending)),
        Section("Warnings", lines=tuple(review.warnings)),
        Section("Not looked at", lines=tuple(review.notes)),
    ]
    return Page(
        review.stack,
        f"{MARKS[review.level]} {_headline(review)}",
        _summary(review),
        tuple(section for section in sections if section.lines or section.rows or section.after),
    )


def _headline(review: Review) -> str:
    if review.level == "stop":
        count = len(review.problems)
        return f"{_VERDICTS['stop']}: {count} problem{'s' if count != 1 else ''}"
    gone = sum(interruption.gone for interruption in review.interruptions)
    if gone:
        return f"{_VERDICTS['look']}: {gone} interruption{'s' if gone != 1 else ''}"
    return _VERDICTS[review.level]


def _summary(review: Review) -> str:
    if not review.counts:
        return "" if review.problems else "The stack is as it would be made."
    told = [f"{count} {_DONE.get(op, op)}" for op, count in sorted(review.counts.items())]
    parts = [f"{_number(sum(review.counts.values()), 'object')}: {', '.join(told)}"]
    before, after = review.gpus_before, review.gpus_after
    always = _more(after.serving - before.serving, after.serving_cost - before.serving_cost, monthly=True)
    running = _more(after.training - before.training, after.training_cost - before.training_cost, monthly=False)
    parts += [f"{when}: {', '.join(told)}" for when, told in ((_ALWAYS, always), (_RUNNING, running)) if told]
    return " · ".join(parts)


def _more(gpus: Decimal, cost: Decimal, *, monthly: bool) -> list[str]:
    told = [f"{gpus:+f} GPU{'' if abs(gpus) == 1 else 's'}"] if gpus else []
    if cost:
        told.append(f"{_usd(cost, sign=True)} USD per hour")
        told += [f"{_month(cost, sign=True)} per month"] if monthly else []
    return told


def _interruptions(review: Review) -> Section:
    rows = tuple((code(i.target), i.why, i.what) for i in review.interruptions)
    return Section("Interrupts", header=("Object", "Change", "What stops"), rows=rows)


def _new(workload: WorkloadChange) -> tuple[bool, str, str]:
    """What is new is read last: it replaces nothing."""
    return all(change.op == "create" for change in workload.objects), workload.team, workload.component


def _workload(workload: WorkloadChange) -> Section:
    title = f"{workload.team} / {workload.component or 'outside of components'}"
    lines = tuple(f"{_DONE.get(op, op)}: {', '.join(targets)}" for op, targets in _unfolded(workload.objects).items())
    rows = tuple(
        (code(path), "not set" if before is None else code(before), "removed" if after is None else code(after), where)
        for (path, before, after), where in _folded(workload.objects).items()
    )
    return Section(title, lines=lines, header=("Field", "Before", "After", "Of"), rows=rows, component=True)


def _unfolded(objects: Sequence[ObjectChange]) -> dict[str, list[str]]:
    """Objects that are made, deleted or replaced, by what is done with them."""
    found: dict[str, list[str]] = {}
    for change in objects:
        if change.op != "update":
            found.setdefault(change.op, []).append(code(change.target))
    return found


def _folded(objects: Sequence[ObjectChange]) -> dict[tuple[str, str | None, str | None], str]:
    """Fields that change, each with the kinds of objects in which it does: a label is on all of them."""
    places: dict[tuple[str, str | None, str | None], dict[str, None]] = {}
    for change in objects:
        kind = change.target.split(" ", 1)[0]
        for entry in change.fields:
            of_pod = entry.path.startswith("spec.template.metadata.")
            path = entry.path.removeprefix("spec.template.") if of_pod else entry.path
            key = path, entry.before, entry.after
            places.setdefault(key, {})[f"pods of {kind}" if of_pod else kind] = None
    return {key: ", ".join(kinds) for key, kinds in places.items()}


def _quotas(uses: Sequence[QuotaUse]) -> Section:
    """The tightest keys of each namespace: the others follow them."""
    rows: list[tuple[str, ...]] = []
    untold = 0
    for place in sorted({use.namespace for use in uses}):
        own = sorted((use for use in uses if use.namespace == place), key=lambda use: (-use.share, use.key))
        told = [use for index, use in enumerate(own) if index < _KEYS_OF_A_NAMESPACE or use.exceeded]
        untold += len(own) - len(told)
        for use in told:
            values = (format_quantity(value, use.key) for value in (use.before, use.after, use.hard))
            rows.append((code(place), code(use.key), *values, bar(use.share)))
    return Section(
        "Quotas, with everything at its peak",
        header=("Namespace", "Resource", "Before", "After", "Quota", "Use"),
        rows=tuple(rows),
        after=(f"{_number(untold, 'resource')} more with a smaller share.",) if untold else (),
    )


def bar(share: Decimal) -> str:
    """A share as a bar and a number: ``█████░░░░░ 50 %``."""
    filled = min(_BAR, int(share * _BAR + Decimal("0.5")))
    return f"{'█' * filled}{'░' * (_BAR - filled)} {int(share * 100)} %" + (" ✗" if share > 1 else "")


def _gpus(before: Gpus, after: Gpus) -> Section:
    if before == after and not after.uncounted:
        return Section("")
    rows = []
    if before.serving != after.serving or before.serving_cost != after.serving_cost:
        cost = after.serving_cost - before.serving_cost
        rows.append(
            (
                _ALWAYS,
                f"{before.serving:f}",
                f"{after.serving:f}",
                _usd(cost, sign=True),
                _month(cost, sign=True),
            )
        )
    if before.training != after.training or before.training_cost != after.training_cost:
        cost = after.training_cost - before.training_cost
        rows.append((_RUNNING, f"{before.training:f}", f"{after.training:f}", _usd(cost, sign=True), ""))
    notes = []
    sides = [("Before: ", before.unpriced), ("After: ", after.unpriced)]
    for when, unpriced in sides if before.unpriced != after.unpriced else [("", after.unpriced)]:
        if unpriced:
            count = _number(int(sum(unpriced.values())), "GPU")
            notes.append(
                f"{when}{count} without a price, for no node pool that they are on names an hourlyCost. "
                f"The cost is without {_names(list(unpriced))}."
            )
    if after.uncounted:
        notes.append(f"Not counted, for it is known after up: {_names(after.uncounted)}.")
    return Section(
        "GPUs and their cost",
        header=("", "Before", "After", "USD per hour", "USD per month"),
        rows=tuple(rows),
        after=tuple(notes),
    )


def _names(targets: Sequence[str]) -> str:
    left = len(targets) - _NAMES
    return ", ".join(map(code, targets[:_NAMES])) + (f" and {left} more" if left > 0 else "")


def _usd(amount: Decimal, *, sign: bool = False) -> str:
    return f"{amount:{'+' if sign else ''},.2f}"


def _month(amount: Decimal, *, sign: bool = False) -> str:
    return f"{amount * HOURS_PER_MONTH:{'+' if sign else ''},.0f}"


def _findings(review: Review) -> Section:
    lines = [
        f"{code(f.target)} {f.what}: {f.rule.reason}. {_capitalized(f.rule.fix)}. ({f.rule.id}, {level})"
        for f, level, new in review.findings
        if new and level != "mandatory"
    ]
    old = sum(not new and level != "mandatory" for _, level, new in review.findings)
    if old:
        lines.append(f"{_number(old, 'finding')} that this change does not bring.")
    lines += [
        f"{f.rule.id} is excused until {exception.until} for {code(f.target)}: {code(exception.reason)}"
        for f, exception in review.excused
    ]
    waiting = sorted({f"{rule.id} of {target}" for rule, target in review.unclear})
    if waiting:
        lines.append(f"Known after up, and judged then: {', '.join(waiting)}.")
    return Section("Rules", lines=tuple(lines))


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


def _number(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"
