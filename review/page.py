"""A review as a page: sections of lists and tables, the most important first."""

from collections.abc import Sequence
from decimal import Decimal

from components.base.quantities import format_quantity
from review import messages
from review.gpus import HOURS_PER_MONTH, Gpus
from review.layout import Page, Section, code
from review.messages import Message, counted
from review.quotas import QuotaUse
from review.review import ComponentChange, ObjectChange, Review
from review.timeline import timeline

# The length of a bar in characters.
_BAR = 10

# The number of resources of a quota that are always shown.
_RESOURCES = 3

# The number of workloads that a sentence names.
_NAMES = 5

_SERVING, _TRAINING = "continuously", "while jobs run"

MARKS = {"blocked": "❌", "attention": "⚠️", "clear": "✅", "unchanged": "✅"}

_OPERATIONS = {"create": "created", "update": "updated", "replace": "replaced", "delete": "deleted"}


def page(review: Review) -> Page:
    """The page of a review."""
    tried = review.twin.warnings if review.twin else ()
    sections = [
        timeline(review.twin),
        Section("Problems", lines=tuple(map(str, review.problems))),
        Section("Found on the twin", lines=tuple(map(str, tried))),
        _interruptions(review),
        *(_component(component) for component in sorted(review.components, key=_order)),
        _quotas(review.quotas),
        _gpus(review.gpus_before, review.gpus_after),
        _policies(review),
        Section("Pending before this change", lines=tuple(code(name) for name in review.pending)),
        Section("Warnings", lines=tuple(str(warning) for warning in review.warnings if warning not in tried)),
        Section("Not checked", lines=tuple(map(str, review.notes))),
    ]
    return Page(
        review.stack,
        f"{MARKS[review.verdict]} {_headline(review)}",
        _summary(review),
        tuple(section for section in sections if section.lines or section.rows or section.after),
    )


def _headline(review: Review) -> Message:
    if review.verdict == "blocked":
        return messages.BLOCKED(problems=counted(len(review.problems), "problem"))
    if review.verdict == "attention":
        disruptive = sum(interruption.disruptive for interruption in review.interruptions)
        if disruptive:
            return messages.ATTENTION_INTERRUPTIONS(interruptions=counted(disruptive, "interruption"))
        return messages.ATTENTION()
    return messages.CLEAR() if review.verdict == "clear" else messages.UNCHANGED()


def _summary(review: Review) -> str:
    if not review.counts:
        return "" if review.problems else str(messages.STACK_UP_TO_DATE())
    operations = [f"{count} {_OPERATIONS.get(op, op)}" for op, count in sorted(review.counts.items())]
    parts = [f"{counted(sum(review.counts.values()), 'object')}: {', '.join(operations)}"]
    before, after = review.gpus_before, review.gpus_after
    serving = _increase(after.serving - before.serving, after.serving_cost - before.serving_cost, monthly=True)
    training = _increase(after.training - before.training, after.training_cost - before.training_cost, monthly=False)
    parts += [f"{when}: {', '.join(more)}" for when, more in ((_SERVING, serving), (_TRAINING, training)) if more]
    return " · ".join(parts)


def _increase(gpus: Decimal, cost: Decimal, *, monthly: bool) -> list[str]:
    parts = [f"{gpus:+f} GPU{'' if abs(gpus) == 1 else 's'}"] if gpus else []
    if cost:
        parts.append(f"{_usd(cost)} USD per hour")
        parts += [f"{_usd_per_month(cost)} per month"] if monthly else []
    return parts


def _interruptions(review: Review) -> Section:
    rows = tuple((code(one.target), str(one.change), str(one.effect)) for one in review.interruptions)
    return Section("Interruptions", header=("Object", "Change", "Effect"), rows=rows)


def _order(component: ComponentChange) -> tuple[bool, str, str]:
    """New components come last: they replace nothing."""
    return all(change.op == "create" for change in component.objects), component.team, component.component


def _component(component: ComponentChange) -> Section:
    title = f"{component.team} / {component.component or 'without a component'}"
    operations = _by_operation(component.objects)
    lines = tuple(f"{_OPERATIONS.get(op, op)}: {', '.join(targets)}" for op, targets in operations.items())
    rows = tuple(
        (code(path), "not set" if before is None else code(before), "removed" if after is None else code(after), kinds)
        for (path, before, after), kinds in _by_field(component.objects).items()
    )
    return Section(title, lines=lines, header=("Field", "Before", "After", "In"), rows=rows, component=True)


def _by_operation(objects: Sequence[ObjectChange]) -> dict[str, list[str]]:
    """Objects that are created, deleted or replaced, by operation."""
    found: dict[str, list[str]] = {}
    for change in objects:
        if change.op != "update":
            found.setdefault(change.op, []).append(code(change.target))
    return found


def _by_field(objects: Sequence[ObjectChange]) -> dict[tuple[str, str | None, str | None], str]:
    """Fields that change, each with the kinds of the objects that have it: a label is part of many objects."""
    fields: dict[tuple[str, str | None, str | None], dict[str, None]] = {}
    for change in objects:
        kind = change.target.split(" ", 1)[0]
        for entry in change.fields:
            of_pod = entry.path.startswith("spec.template.metadata.")
            path = entry.path.removeprefix("spec.template.") if of_pod else entry.path
            key = path, entry.before, entry.after
            fields.setdefault(key, {})[f"pods of {kind}" if of_pod else kind] = None
    return {key: ", ".join(kinds) for key, kinds in fields.items()}


def _quotas(uses: Sequence[QuotaUse]) -> Section:
    """The most used resources of each namespace, and those that exceed their quota."""
    rows: list[tuple[str, ...]] = []
    omitted = 0
    for namespace in sorted({use.namespace for use in uses}):
        own = sorted((use for use in uses if use.namespace == namespace), key=lambda use: (-use.share, use.key))
        shown = [use for index, use in enumerate(own) if index < _RESOURCES or use.exceeded]
        omitted += len(own) - len(shown)
        for use in shown:
            values = (format_quantity(value, use.key) for value in (use.before, use.after, use.hard))
            rows.append((code(namespace), code(use.key), *values, bar(use.share)))
    omission = messages.RESOURCES_OMITTED(resources=counted(omitted, "resource"))
    return Section(
        "Quotas at peak use",
        header=("Namespace", "Resource", "Before", "After", "Quota", "Use"),
        rows=tuple(rows),
        after=(str(omission),) if omitted else (),
    )


def bar(share: Decimal) -> str:
    """A share as a bar and a number: ``█████░░░░░ 50 %``."""
    filled = min(_BAR, int(share * _BAR + Decimal("0.5")))
    return f"{'█' * filled}{'░' * (_BAR - filled)} {int(share * 100)} %" + (" ✗" if share > 1 else "")


def _gpus(before: Gpus, after: Gpus) -> Section:
    if before == after and not after.unknown:
        return Section("")
    rows = []
    if (before.serving, before.serving_cost) != (after.serving, after.serving_cost):
        cost = after.serving_cost - before.serving_cost
        rows.append((_SERVING, f"{before.serving:f}", f"{after.serving:f}", _usd(cost), _usd_per_month(cost)))
    if (before.training, before.training_cost) != (after.training, after.training_cost):
        cost = after.training_cost - before.training_cost
        rows.append((_TRAINING, f"{before.training:f}", f"{after.training:f}", _usd(cost), ""))
    notes = []
    sides = [("Before: ", before.unpriced), ("After: ", after.unpriced)]
    for when, unpriced in sides if before.unpriced != after.unpriced else [("", after.unpriced)]:
        if unpriced:
            count = counted(int(sum(unpriced.values())), "GPU")
            notes.append(messages.GPUS_WITHOUT_PRICE(when=when, gpus=count, workloads=_names(list(unpriced))))
    if after.unknown:
        notes.append(messages.GPUS_UNKNOWN(workloads=_names(after.unknown)))
    return Section(
        "GPUs and their cost",
        header=("", "Before", "After", "USD per hour", "USD per month"),
        rows=tuple(rows),
        after=tuple(map(str, notes)),
    )


def _names(targets: Sequence[str]) -> str:
    more = len(targets) - _NAMES
    return ", ".join(map(code, targets[:_NAMES])) + (f" and {more} more" if more > 0 else "")


def _usd(amount: Decimal) -> str:
    return f"{amount:+,.2f}"


def _usd_per_month(amount: Decimal) -> str:
    return f"{amount * HOURS_PER_MONTH:+,.0f}"


def _policies(review: Review) -> Section:
    lines = [
        messages.ADVISORY_FINDING(
            target=code(found.finding.target),
            violation=found.finding.message,
            reason=_capitalized(found.finding.rule.reason),
            fix=_capitalized(found.finding.rule.fix),
            rule=found.finding.rule.id,
            level=found.level,
        )
        for found in review.findings
        if found.new and found.level != "mandatory"
    ]
    earlier = sum(not found.new and found.level != "mandatory" for found in review.findings)
    if earlier:
        lines.append(messages.EARLIER_FINDINGS(findings=counted(earlier, "finding")))
    lines += [
        messages.EXEMPTED(
            target=code(one.finding.target), rule=one.finding.rule.id, until=one.until, reason=code(one.reason)
        )
        for one in review.exempted
    ]
    undetermined = sorted({f"{one.rule.id} of {one.target}" for one in review.undetermined})
    if undetermined:
        lines.append(messages.UNDETERMINED(rules=", ".join(undetermined)))
    return Section("Policy rules", lines=tuple(line.text for line in lines))


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]
