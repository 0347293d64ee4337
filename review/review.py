"""A review: everything that a reviewer needs to know about a change, as data."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from components.base.objects import Manifest, target
from components.base.quantities import format_quantity
from policies import EnforcementLevel, Evaluation, Exempted, Finding, PolicySettings, PolicySettingsError, Undetermined
from review import effects, messages
from review.cluster.report import Report, not_queried
from review.diff import FieldChange, field_changes
from review.duplicates import without_covered, without_known
from review.effects import Effects
from review.effects.applied import applied
from review.gpus import Gpus, NodePools, gpus, node_pools
from review.interruptions import Interruption, interruptions
from review.messages import Message
from review.preview import Preview, Step, with_unknown
from review.quotas import QuotaUse, quota_use
from review.recreated import recreated
from review.twin.report import TwinReport

Verdict = Literal["blocked", "attention", "clear", "unchanged"]
"""The result of a review. ``blocked``: the change would fail or is denied. ``attention``: it has disruptive
interruptions, new findings or warnings. ``clear``: it has none of these. ``unchanged``: it changes nothing."""


@dataclass(frozen=True)
class ObjectChange:
    """The change of one object."""

    op: str
    target: str
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True)
class ComponentChange:
    """The changes of the objects of one component."""

    team: str
    component: str
    objects: tuple[ObjectChange, ...]


@dataclass(frozen=True)
class ReviewedFinding:
    """A finding of a policy rule."""

    finding: Finding
    level: EnforcementLevel
    """The level in this stack."""

    new: bool
    """Whether this change introduces it."""


@dataclass(frozen=True)
class Review:
    """The review of a change of a stack."""

    stack: str
    problems: tuple[Message, ...] = ()
    """Why the change would fail or is denied."""

    interruptions: tuple[Interruption, ...] = ()
    components: tuple[ComponentChange, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    """Pulumi's operation → number of objects."""

    quotas: tuple[QuotaUse, ...] = ()
    gpus_before: Gpus = field(default_factory=Gpus)
    gpus_after: Gpus = field(default_factory=Gpus)
    findings: tuple[ReviewedFinding, ...] = ()
    exempted: tuple[Exempted, ...] = ()
    undetermined: tuple[Undetermined, ...] = ()
    pending: tuple[str, ...] = ()
    """Objects that the base commit would change in the same way, because it has not been deployed."""

    effects: Effects = field(default_factory=Effects)
    """What changes for others. Its problems, warnings and notes are among those of the review."""

    warnings: tuple[Message, ...] = ()
    notes: tuple[Message, ...] = ()
    """What this review did not check."""

    twin: TwinReport | None = None
    """What the change does on a twin of the cluster, if it was tried. Its messages are among those above."""

    @property
    def verdict(self) -> Verdict:
        """The result of the review."""
        if self.problems:
            return "blocked"
        disruptive = any(interruption.disruptive for interruption in self.interruptions)
        # An advisory rule predicts what may happen; the twin has tried it.
        new = [found for found in self.findings if found.new and (self.twin is None or found.level == "mandatory")]
        if disruptive or self.warnings or new:
            return "attention"
        return "clear" if self.counts else "unchanged"


def review(
    preview: Preview,
    pools: NodePools,
    today: date,
    *,
    report: Report | None = None,
    base: Preview | None = None,
    twin: TwinReport | None = None,
    live: Sequence[Manifest] = (),
    unreadable: Collection[str] = (),
) -> Review:
    """Review a preview.

    ``report`` is the result of the checks against the cluster, ``base`` the preview of the base commit, and ``twin``
    the result of a trial of the change. ``live`` are all objects of the cluster, if they are known, except those of
    ``unreadable`` kinds.
    """
    warnings = tuple(messages.PREVIEW_WARNING(warning=warning) for warning in preview.warnings)
    if preview.errors:  # the preview is incomplete
        errors = tuple(messages.PREVIEW_FAILED(error=error) for error in preview.errors)
        return Review(preview.stack, problems=errors, warnings=warnings)
    report = report or not_queried()
    before, after = preview.manifests(after=False), preview.manifests(after=True)
    of_others = effects.check(
        live or before, applied(live, preview.steps) if live else after, live, unreadable=unreadable
    )
    quotas, unknown = quota_use([*before, *report.other_pods], [*after, *report.other_pods])
    gpus_before, gpus_after = gpus(before, after, node_pools(base.config) if base else pools, pools)
    settings, invalid_settings = _policy_settings(preview)
    evaluation = settings.evaluate(after, after, today)
    findings = _findings(evaluation, settings.evaluate(before, before, today), settings)
    counts: dict[str, int] = {}
    for step in preview.steps:
        if step.is_change:
            counts[step.op] = counts.get(step.op, 0) + 1
    problems = [
        *invalid_settings,
        *recreated(preview.steps),
        *(_exceeded(use) for use in quotas if use.exceeded),
        *(_violated(found.finding) for found in findings if found.new and found.level == "mandatory"),
        *report.problems,
        *(problem for problem in of_others.problems if problem not in report.problems),
    ]
    tried = without_known(twin or TwinReport(), problems, preview.steps)
    return Review(
        preview.stack,
        problems=(*tried.problems, *without_covered(problems, tried)),
        interruptions=tuple(interruptions(preview.steps)),
        components=tuple(_components(preview)),
        counts=counts,
        quotas=tuple(use for use in quotas if use.before != use.after or use.exceeded),
        gpus_before=gpus_before,
        gpus_after=gpus_after,
        findings=findings,
        exempted=evaluation.exempted,
        undetermined=evaluation.undetermined,
        pending=tuple(_pending(preview, base)) if base else (),
        effects=of_others,
        warnings=(
            *tried.warnings,
            *warnings,
            *without_covered(report.warnings, tried),
            *(warning for warning in of_others.warnings if not _is_found(warning, findings)),
        ),
        notes=(
            *report.notes,
            *of_others.notes,
            *(messages.QUOTA_NOT_CHECKED(namespace=name, reason=messages.UNKNOWN_VALUES()) for name in unknown),
            *tried.notes,
        ),
        twin=tried if twin else None,
    )


# Warning → the policy rule that checks the same within a stack.
_CHECKED_BY_RULE = {"selects-nothing": "service-selects", "target-port-lost": "service-port"}


def _is_found(warning: Message, findings: Sequence[ReviewedFinding]) -> bool:
    """Whether a policy rule reports the same."""
    rule, name = _CHECKED_BY_RULE.get(warning.code), warning.values.get("target")
    return any((found.finding.rule.id, found.finding.target) == (rule, name) for found in findings)


def _pending(preview: Preview, base: Preview) -> list[str]:
    earlier = {step.urn: step for step in base.steps}
    return sorted(
        target(with_unknown(step.manifest))
        for step in preview.steps
        if step.is_change
        and (before := earlier.get(step.urn)) is not None
        and (before.op, before.after) == (step.op, step.after)
    )


def _policy_settings(preview: Preview) -> tuple[PolicySettings, list[Message]]:
    """The settings of the policy rules; the defaults and a problem if they are invalid."""
    try:
        return PolicySettings.parse(preview.config), []
    except PolicySettingsError as error:
        return PolicySettings(), [messages.POLICY_SETTINGS_INVALID(error=error)]


def _findings(after: Evaluation, before: Evaluation, settings: PolicySettings) -> tuple[ReviewedFinding, ...]:
    earlier = {(found.rule.id, found.target, found.message) for found in before.findings}
    found = (
        ReviewedFinding(one, settings.level(one.rule), (one.rule.id, one.target, one.message) not in earlier)
        for one in after.findings
    )
    return tuple(sorted(found, key=lambda one: (one.finding.target, one.finding.rule.id)))


def _violated(finding: Finding) -> Message:
    return messages.POLICY_VIOLATED(
        target=finding.target, violation=finding.message, rule=finding.rule.id, fix=finding.rule.fix
    )


def _exceeded(use: QuotaUse) -> Message:
    return messages.QUOTA_EXCEEDED(
        target=f"ResourceQuota {use.namespace}/{use.quota}",
        resource=use.key,
        hard=format_quantity(use.hard, use.key),
        used=format_quantity(use.after, use.key),
    )


def _components(preview: Preview) -> list[ComponentChange]:
    """The changes by team and component."""
    teams = _teams(preview)
    groups: dict[tuple[str, str], list[ObjectChange]] = {}
    for step in preview.steps:
        if step.is_change:
            group = _team(step.manifest, teams), step.component
            groups.setdefault(group, []).append(_change(step))
    return [
        ComponentChange(team, component, tuple(sorted(objects, key=lambda change: change.target)))
        for (team, component), objects in sorted(groups.items())
    ]


def _change(step: Step) -> ObjectChange:
    fields = field_changes(step.before, step.after) if step.before and step.after else []
    return ObjectChange(step.op, target(with_unknown(step.manifest)), tuple(fields))


def _teams(preview: Preview) -> dict[str, str]:
    """Namespace → the team that owns it."""
    owners = {}
    for step in preview.steps:
        if step.manifest["kind"] == "Namespace":
            metadata = step.manifest["metadata"]
            owners[metadata.get("name")] = (metadata.get("labels") or {}).get("team")
    return {namespace: team for namespace, team in owners.items() if namespace and team}


def _team(manifest: Manifest, teams: Mapping[str, str]) -> str:
    metadata = manifest.get("metadata") or {}
    namespace = metadata.get("name") if manifest["kind"] == "Namespace" else metadata.get("namespace")
    own = (metadata.get("labels") or {}).get("team")
    return own or teams.get(namespace or "") or "(no team)"
