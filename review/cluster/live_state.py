"""The live state of the objects that a change updates or deletes."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from components.base.objects import Manifest, target
from review import messages
from review.cluster.kubectl import Cluster, ClusterError, ForbiddenError
from review.cluster.report import reason
from review.messages import Message
from review.preview import Preview, Step, with_unknown


def with_live_state(preview: Preview, cluster: Cluster) -> Preview:
    """The preview with the live state of objects that it changes, in place of the state in Pulumi's last update."""
    steps = []
    for step in preview.steps:
        try:
            live = _live(step, cluster)
        except ClusterError:  # reported by check_live_state
            live = None
        steps.append(replace(step, live=live or step.live))
    return replace(preview, steps=tuple(steps))


def check_live_state(steps: Iterable[Step], cluster: Cluster) -> Iterator[Message]:
    """Report objects whose live state is unavailable."""
    for step in steps:
        try:
            _live(step, cluster)
        except ClusterError as error:
            yield messages.LIVE_STATE_NOT_CHECKED(target=target(with_unknown(step.manifest)), reason=reason(error))


def _live(step: Step, cluster: Cluster) -> Manifest | None:
    """The live object of a step; None if the step changes nothing, or the object does not exist or is not readable."""
    if not step.is_change or step.before is None:
        return None
    metadata = step.before.get("metadata") or {}
    try:
        found: Manifest | None = cluster.get(
            step.before["kind"], metadata.get("name", ""), metadata.get("namespace", "")
        )
    except ForbiddenError:
        return None
    return found
