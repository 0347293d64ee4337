"""The result of the checks against the cluster."""

from collections.abc import Iterable
from dataclasses import dataclass

from components.base.objects import Manifest
from review import messages
from review.cluster.kubectl import ClusterError, ForbiddenError
from review.messages import Message


@dataclass(frozen=True)
class Report:
    """What the checks found."""

    problems: tuple[Message, ...] = ()
    warnings: tuple[Message, ...] = ()
    notes: tuple[Message, ...] = ()
    other_pods: tuple[Manifest, ...] = ()
    """Pods in the stack's namespaces that do not belong to the stack, but use its quotas."""


def merged(found: Iterable[Message], other_pods: Iterable[Manifest] = ()) -> Report:
    """A report of messages, by group. Notes that are equal as text are listed once."""
    all_found = list(found)
    notes = {message.text: message for message in all_found if message.kind.group == "note"}
    return Report(
        tuple(message for message in all_found if message.kind.group == "problem"),
        tuple(message for message in all_found if message.kind.group == "warning"),
        tuple(notes.values()),
        tuple(other_pods),
    )


def not_queried(error: str = "") -> Report:
    """The report without a cluster, because of an error or on request."""
    reason = messages.UNREACHABLE(error=error) if error else messages.NOT_QUERIED()
    return Report(notes=(messages.CLUSTER_NOT_CHECKED(reason=reason),))


def reason(error: ClusterError) -> Message:
    """The reason of a note, if a query failed: an error is neither a yes nor a no."""
    return messages.FORBIDDEN() if isinstance(error, ForbiddenError) else messages.UNANSWERED(error=error)
