"""Messages of the checks and of the twin about the same object and cause: the one that was tried is kept."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from components.base.objects import target
from review.messages import Message
from review.preview import Step, with_unknown
from review.twin.report import TwinReport

_COVERED: Mapping[str, frozenset[str]] = {
    "update-stuck": frozenset({"admission-denied", "node-labels-not-found", "taint-not-tolerated"}),
    "pods-missing": frozenset({"admission-denied", "node-labels-not-found", "taint-not-tolerated"}),
    "restart-fails": frozenset({"admission-denied"}),
    "apply-rejected": frozenset({"namespace-not-found"}),
}
"""The code of a message of the twin → codes of messages about the same object that it makes redundant."""

_QUOTA = "quota-used-up"


def without_covered(found: Iterable[Message], report: TwinReport) -> tuple[Message, ...]:
    """The messages of the checks without those that a message of the twin covers."""
    tried = (*report.problems, *report.warnings)
    covered = {(code, message.values.get("target")) for message in tried for code in _COVERED.get(message.code, ())}
    quotas = set(map(_used_up_quota, tried)) - {None}
    return tuple(
        message
        for message in found
        if (message.code, message.values.get("target")) not in covered
        and not (message.code == "quota-exceeded" and message.values.get("target") in quotas)
        and not (message.code == "namespace-contents" and _lost_with(message.values.get("namespace"), tried))
    )


def _used_up_quota(message: Message) -> str | None:
    """The quota that rejects pods of a workload."""
    reason = message.values.get("reason")
    if not isinstance(reason, Message) or reason.code != _QUOTA:
        return None
    namespace = str(message.values.get("target", "")).partition(" ")[2].partition("/")[0]
    return f"ResourceQuota {namespace}/{reason.values['quota']}"


def _lost_with(namespace: object, tried: Iterable[Message]) -> bool:
    """Whether the twin lists the contents of a deleted namespace."""
    cause = f"deleting Namespace {namespace}"
    return any(message.code == "objects-lost" and message.values["cause"] == cause for message in tried)


def without_known(tried: TwinReport, found: Sequence[Message], steps: Iterable[Step]) -> TwinReport:
    """The report of the twin without the messages that only repeat others.

    These are objects of a kind that is not served, and the data of claims that the change deletes itself, which is
    reported as an interruption.
    """
    kinds = tuple(f'no matches for kind "{one.values["kind"]}"' for one in found if one.code == "kind-not-served")
    deleted = [step.before for step in steps if step.op in {"delete", "replace"} and step.before is not None]
    claims = {target(with_unknown(one)) for one in deleted if one["kind"] == "PersistentVolumeClaim"}
    return replace(
        tried,
        problems=tuple(
            one
            for one in tried.problems
            if not (kinds and one.code == "apply-rejected" and str(one.values["error"]).startswith(kinds))
            and not (one.code == "data-lost" and one.values["target"] in claims)
        ),
    )
