"""A review: everything that a reviewer has to know of a preview, before it is written down."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from components.base.objects import Manifest, target
from components.base.quantities import format_quantity
from policies import Finding, PolicySettings, judged
from policies import Level as Severity
from policies.rule import Rule
from policies.settings import PolicyException, PolicySettingsError
from review.capacity import Gpus, QuotaUse, gpus, quota_use
from review.cluster.checks import Checks, not_asked
from review.diff import FieldChange, changes
from review.interruptions import Interruption, interruptions
from review.pools import node_pools
from review.preview import Preview, Step, known

Level = Literal["stop", "look", "fine", "nothing"]


@dataclass(frozen=True)
class ObjectChange:
    """What is done with one object."""

    op: str
    target: str
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True)
class WorkloadChange:
    """What is done with the objects of one component."""

    team: str
    component: str
    objects: tuple[ObjectChange, ...]


@dataclass(frozen=True)
class Review:
    """What a change does to a stack."""

    stack: str
    problems: tuple[str, ...] = ()
    """What fails, or is forbidden: an approval would be of no use."""

    interruptions: tuple[Interruption, ...] = ()
    workloads: tuple[WorkloadChange, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    """Pulumi's word → how many objects."""

    quotas: tuple[QuotaUse, ...] = ()
    gpus_before: Gpus = field(default_factory=Gpus)
    gpus_after: Gpus = field(default_factory=Gpus)
    findings: tuple[tuple[Finding, Severity, bool], ...] = ()
    """What a rule says, how severe that is in this stack, and whether this change brings it."""

    excused: tuple[tuple[Finding, PolicyException], ...] = ()
    unclear: tuple[tuple[Rule, str], ...] = ()
    """Rules that wait for values which are known after ``up`` only."""

    pending: tuple[str, ...] = ()
    """Objects that the commit before this change would change in the same way: it was not brought up."""

    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What this review could not look at."""

    @property
    def level(self) -> Level:
        """How much of a reviewer's attention it needs."""
        if self.problems:
            return "stop"
        if any(i.gone for i in self.interruptions) or any(new for _, _, new in self.findings) or self.warnings:
            return "look"
        return "fine" if self.counts else "nothing"


def review(
    preview: Preview,
    pools: Mapping[str, Mapping[str, Any]],
    today: date,
    *,
    checks: Checks | None = None,
    base: Preview | None = None,
) -> Review:
    """Review a preview, with what the cluster adds to it where one was asked, and what was pending at a base."""
    if preview.errors:  # it did not get to the end: what it lists is not what would be done
        return Review(preview.stack, problems=preview.errors, warnings=preview.warnings)
    checks = checks or not_asked()
    before, after = preview.manifests(after=False), preview.manifests(after=True)
    quotas, unknown = quota_use([*before, *checks.others], [*after, *checks.others])
    gpus_before, gpus_after = gpus(before, after, node_pools(base.config) if base else pools, pools)
    findings, excused, unclear, wrong = _rules(preview, before, after, today)
    found = [
        *wrong,
        *(_exceeded(use) for use in quotas if use.exceeded),
        *(f"{f.target} {f.what}: {f.rule.fix} ({f.rule.id})" for f, level, _ in findings if level == "mandatory"),
    ]
    counts: dict[str, int] = {}
    for step in preview.steps:
        if step.changes:
            counts[step.op] = counts.get(step.op, 0) + 1
    return Review(
        preview.stack,
        problems=(*found, *checks.problems),
        interruptions=tuple(interruptions(preview.steps)),
        workloads=tuple(_workloads(preview)),
        counts=counts,
        quotas=tuple(use for use in quotas if use.before != use.after or use.exceeded),
        gpus_before=gpus_before,
        gpus_after=gpus_after,
        findings=tuple(findings),
        excused=tuple(excused),
        unclear=tuple(unclear),
        pending=tuple(_pending(preview, base)) if base else (),
        warnings=(*preview.warnings, *checks.warnings),
        notes=(
            *checks.notes,
            *(f"the quota of {place}: values that it depends on are known after up" for place in unknown),
        ),
    )


def _pending(preview: Preview, base: Preview) -> list[str]:
    earlier = {step.urn: step for step in base.steps}
    return sorted(
        target(known(step.manifest))
        for step in preview.steps
        if step.changes
        and (before := earlier.get(step.urn)) is not None
        and (before.op, before.after) == (step.op, step.after)
    )


def _rules(
    preview: Preview, before: list[Manifest], after: list[Manifest], today: date
) -> tuple[list[tuple[Finding, Severity, bool]], list[Any], list[Any], list[str]]:
    try:
        settings, wrong = PolicySettings.parse(preview.config), []
    except PolicySettingsError as error:
        settings, wrong = PolicySettings(), [str(error)]
    verdict, excused = judged(after, after, settings, today)
    earlier, _ = judged(before, before, settings, today)
    known_findings = {(f.rule.id, f.target, f.what) for f in earlier.findings}
    findings = [
        (f, settings.level(f.rule), (f.rule.id, f.target, f.what) not in known_findings) for f in verdict.findings
    ]
    findings.sort(key=lambda found: (found[0].target, found[0].rule.id))
    return findings, excused, verdict.unclear, wrong


def _exceeded(use: QuotaUse) -> str:
    after, hard = format_quantity(use.after, use.key), format_quantity(use.hard, use.key)
    return (
        f"ResourceQuota {use.namespace}/{use.quota} allows {hard} of {use.key}, and {after} would be in use "
        "at the peak: the API server refuses the pods that do not fit"
    )


def _workloads(preview: Preview) -> list[WorkloadChange]:
    """The changes by team and component."""
    teams = _teams(preview)
    groups: dict[tuple[str, str], list[ObjectChange]] = {}
    for step in preview.steps:
        if step.changes:
            group = _team(step.manifest, teams), step.component
            groups.setdefault(group, []).append(_change(step))
    return [
        WorkloadChange(team, component, tuple(sorted(objects, key=lambda change: change.target)))
        for (team, component), objects in sorted(groups.items())
    ]


def _change(step: Step) -> ObjectChange:
    fields = changes(step.before, step.after) if step.before and step.after else []
    return ObjectChange(step.op, target(known(step.manifest)), tuple(fields))


def _teams(preview: Preview) -> dict[str, str]:
    """Namespace → the team that owns it."""
    owners = {}
    for step in preview.steps:
        if step.manifest["kind"] == "Namespace":
            metadata = step.manifest["metadata"]
            owners[metadata.get("name")] = (metadata.get("labels") or {}).get("team")
    return {place: team for place, team in owners.items() if place and team}


def _team(manifest: Manifest, teams: Mapping[str, str]) -> str:
    metadata = manifest.get("metadata") or {}
    place = metadata.get("name") if manifest["kind"] == "Namespace" else metadata.get("namespace")
    own = (metadata.get("labels") or {}).get("team")
    return own or teams.get(place or "") or "(no team)"
