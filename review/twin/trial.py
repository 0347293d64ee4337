"""Tries a change on a twin: plays it, observes what happens, and then tries tomorrow."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from components.base.objects import Manifest
from review.messages import Message
from review.preview import Preview
from review.twin.client import ApiError, Client
from review.twin.convergence import replicas_and_autoscaler, second_apply
from review.twin.losses import losses
from review.twin.observe import Recorder
from review.twin.owners import key
from review.twin.play import Play, Player
from review.twin.report import TwinReport, disruptions, faults, merged, removed, services
from review.twin.restarts import affected
from review.twin.rollouts import Rollout, rollouts
from review.twin.timing import Timing
from review.twin.tomorrow import Tomorrow, Yesterday, selected_by_budgets
from review.twin.trouble import new_troubles, troubles

_T = TypeVar("_T")
_NOT_LISTED = {"Event", "ComponentStatus"}


def try_change(
    client: Client,
    preview: Preview,
    timing: Timing,
    add_nodes: Callable[[], int] = lambda: 0,
    slowness: float = 1.0,
) -> TwinReport:
    """Try a change on a twin that has settled, and report what happens.

    ``add_nodes`` adds the nodes that an autoscaler would add for pending pods, and returns their number. ``slowness``
    multiplies the times that controllers have to react.
    """
    recorder = Recorder(client, timing, add_nodes, slowness)
    with recorder.recording():
        return _Trial(client, preview, timing, recorder).run()


class _Trial:
    def __init__(self, client: Client, preview: Preview, timing: Timing, recorder: Recorder) -> None:
        self._client, self._preview, self._timing, self._recorder = client, preview, timing, recorder
        self._tomorrow = Tomorrow(client, recorder, timing)
        self._durations: dict[str, float] = {}

    def run(self) -> TwinReport:
        recorder, scale = self._recorder, self._timing.scale
        before = self._timed("read", lambda: all_objects(self._client))
        candidates = affected(self._preview, before)
        yesterday = self._timed("yesterday", lambda: self._tomorrow.yesterday(candidates))
        broken = troubles(before, self._client.list("v1", "Event")[0])
        recorder.restart()
        play = self._timed("play", lambda: Player(self._client, recorder, self._timing).play(self._preview))
        end = recorder.now
        after = self._timed("read again", lambda: all_objects(self._client))
        recorded = rollouts(before, after, recorder.samples, end, scale)
        new = new_troubles(broken, troubles(after, recorder.events))
        found = [
            *play.messages,
            *faults(new, play),
            *services(before, after, recorded, new, play),
            *disruptions(recorder.disappeared, before, play),
            *removed(self._client, play),
            *losses(before, after, {key(one) for one in play.deleted}),
            *replicas_and_autoscaler(self._preview.steps, before, after),
            *self._timed("second apply", lambda: list(second_apply(self._client, play.applied))),
        ]
        found += self._timed("tomorrow", lambda: list(self._try_tomorrow(yesterday, play, after, recorded)))
        return merged(found, recorded, self._durations, scale)

    def _try_tomorrow(
        self, yesterday: Yesterday, play: Play, after: Sequence[Manifest], recorded: Sequence[Rollout]
    ) -> Iterator[Message]:
        workloads = affected(self._preview, after)
        broken = {key(one.manifest) for one in troubles(after, self._recorder.events)}
        budgeted = selected_by_budgets(play.applied, after)
        drained = {key(one): one for one in (*workloads, *budgeted)}
        yield from self._tomorrow.drains([one for one in drained.values() if key(one) not in broken], yesterday)
        yield from self._tomorrow.restarts(workloads, yesterday, broken)
        yield from self._tomorrow.next_version(play.applied, recorded, broken)

    def _timed(self, phase: str, action: Callable[[], _T]) -> _T:
        began = time.monotonic()
        result = action()
        self._durations[phase] = round(time.monotonic() - began, 2)
        return result


def all_objects(client: Client) -> list[Manifest]:
    """All objects of a cluster, each in the preferred version of its API."""
    found: dict[tuple[str, str], list[Manifest]] = {}
    for (version, kind), resource in client.resources(refresh=True).items():
        name = version.rpartition("/")[0], kind
        if name in found or kind in _NOT_LISTED or not {"list", "watch"} <= resource.verbs:
            continue
        try:
            found[name] = client.list(version, kind)[0]
        except ApiError as error:
            if error.status != 404:  # its definition is being deleted
                raise
    return [one for objects in found.values() for one in objects]
