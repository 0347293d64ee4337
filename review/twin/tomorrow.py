"""What would happen after a change: restarted pods, the next version, a drain of a node, and one more update."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from components.base.objects import Manifest, selects, target
from review import twin_messages as messages
from review.messages import Message
from review.twin.client import ApiError, Client
from review.twin.observe import Recorder
from review.twin.owners import Key, Owners, is_ready, key
from review.twin.play import Played
from review.twin.restarts import QUOTA_EXCEEDED, denials
from review.twin.rollouts import Rollout, rollouts, selected_workloads
from review.twin.text import duration
from review.twin.timing import Timing
from review.twin.trouble import Trouble, new_troubles, reported, troubles

_NEXT = "twin.ml-platform/next-version"
_ROLLING = {"Deployment", "StatefulSet", "DaemonSet"}
# Kinds of pods that run until they are stopped. A drain waits for others to finish.
_SERVING = {*_ROLLING, "ReplicaSet", "ReplicationController"}
# Real seconds. The second one is the time until a ready pod is an endpoint.
_SETTLE = 20.0
_SHOWN = 0.3


@dataclass(frozen=True)
class Yesterday:
    """What the same trials showed before the change: it is not reported again."""

    denials: Mapping[Key, str] = field(default_factory=dict)
    blocked: Mapping[Key, str] = field(default_factory=dict)
    """Workloads whose pods could not be evicted."""


class Tomorrow:
    """The trials. They change the cluster."""

    def __init__(self, client: Client, recorder: Recorder, timing: Timing) -> None:
        self._client, self._recorder, self._timing = client, recorder, timing

    def yesterday(self, workloads: Sequence[Manifest]) -> Yesterday:
        """The trials that change nothing, before the change."""
        return Yesterday(denials(self._client, workloads), self.blocked(workloads))

    def blocked(self, workloads: Iterable[Manifest]) -> dict[Key, str]:
        """The workloads whose pods cannot be evicted although all of them are ready, with the reason."""
        pods = Owners(self._recorder.objects()).pods()
        found: dict[Key, str] = {}
        for workload in workloads:
            own = pods.get(key(workload), [])
            if workload["kind"] not in _SERVING or not own or not all(map(is_ready, own)):
                continue
            try:
                self._client.evict(own[0], dry_run=True)
            except ApiError as error:
                if error.status in {429, 500}:
                    found[key(workload)] = _reason(error)
        return found

    def drains(self, workloads: Sequence[Manifest], yesterday: Yesterday) -> Iterator[Message]:
        """Report workloads whose pods cannot be evicted any more."""
        names = {key(one): target(one) for one in workloads}
        for identity, error in self.blocked(workloads).items():
            if identity not in yesterday.blocked:
                yield messages.DRAIN_BLOCKED(target=names[identity], error=error)

    def restarts(self, workloads: Sequence[Manifest], yesterday: Yesterday, broken: set[Key]) -> Iterator[Message]:
        """Report workloads whose pods would be rejected when they are created again."""
        exceeded: list[Manifest] = []
        rejected = denials(self._client, workloads)
        for workload in workloads:
            error = rejected.get(key(workload), "")
            if QUOTA_EXCEEDED in error:
                exceeded.append(workload)
            elif error and key(workload) not in yesterday.denials and key(workload) not in broken:
                yield messages.RESTART_FAILS(target=target(workload), reason=reported("FailedCreate", error))
        yield from self._restarted([one for one in exceeded if key(one) not in broken])

    def _restarted(self, workloads: Sequence[Manifest]) -> Iterator[Message]:
        """Delete a pod of each workload whose quota is used up: it frees the quota that its successor needs."""
        pods = Owners(self._recorder.objects()).pods()
        before = self._troubles()
        deleted = [one for one in workloads if pods.get(key(one)) and one["kind"] != "Pod"]
        for workload in deleted:
            self._client.delete(pods[key(workload)][0])
            self._recorder.touch()
        if not deleted:
            return
        self._recorder.settle(_SETTLE)
        restarted = {key(one) for one in deleted}
        for trouble in new_troubles(before, self._troubles()):
            if key(trouble.manifest) in restarted:
                yield messages.RESTART_FAILS(target=target(trouble.manifest), reason=trouble.reason)

    def next_version(
        self, applied: Sequence[Played], earlier: Sequence[Rollout], broken: set[Key]
    ) -> Iterator[Message]:
        """Roll out a next version of the workloads whose way to roll out has changed."""
        chosen = {
            key(one.manifest): one for one in applied if _rolls_differently(one) and key(one.manifest) not in broken
        }
        if not chosen:
            return
        before, known = self._recorder.objects(), self._troubles()
        self._recorder.restart()
        template = {"metadata": {"annotations": {_NEXT: "1"}}}
        for played in chosen.values():
            self._client.patch(played.manifest, {"spec": {"template": template}})
            self._recorder.touch()
        known_pods = {one["metadata"]["uid"] for one in before if one["kind"] == "Pod"}
        self._recorder.settle(_SETTLE, lambda: chosen.keys() <= self._progressed(known_pods))
        self._recorder.wait(lambda: False, _SHOWN)
        after, progressed = self._recorder.objects(), self._progressed(known_pods)
        for trouble in new_troubles(known, self._troubles()):
            if key(trouble.manifest) in chosen.keys() - progressed:
                yield messages.NEXT_VERSION_STUCK(target=target(trouble.manifest), reason=trouble.reason)
        existing = [one.manifest for one in chosen.values() if one.step.op == "update"]
        yield from self._outages(before, after, existing, {one.target for one in earlier if one.zero_seconds})

    def _progressed(self, known: set[str]) -> set[Key]:
        """The workloads with a new pod that is ready: what happened to the first pod happens to the others."""
        pods = Owners(self._recorder.objects()).pods()
        return {
            workload
            for workload, own in pods.items()
            if any(is_ready(pod) and pod["metadata"]["uid"] not in known for pod in own)
        }

    def _outages(
        self, before: Sequence[Manifest], after: Sequence[Manifest], existing: Sequence[Manifest], known: set[str]
    ) -> Iterator[Message]:
        recorder = self._recorder
        services = {target(one): one for one in after if one["kind"] == "Service"}
        for rollout in rollouts(before, after, recorder.samples, recorder.now, self._timing.scale):
            service = services.get(rollout.target)
            if service is None or not rollout.zero_seconds or rollout.target in known:
                continue
            selected = {key(one) for one in selected_workloads(service, existing)}
            workload = next((one for one in existing if key(one) in selected), None)
            if workload is not None:
                yield messages.NEXT_VERSION_OUTAGE(
                    target=rollout.target, duration=duration(rollout.zero_seconds), workload=target(workload)
                )

    def _troubles(self) -> list[Trouble]:
        return troubles(self._recorder.objects(), self._recorder.events)


def _rolls_differently(played: Played) -> bool:
    """Whether a step changes how a workload rolls out. A new pod template alone has been rolled out already."""
    if played.manifest["kind"] not in _ROLLING:
        return False
    return played.step.op != "update" or _rules(played.step.before) != _rules(played.step.after)


def _rules(workload: Manifest | None) -> object:
    """The part of a workload that decides how a new version of its pods is rolled out."""
    spec = (workload or {}).get("spec")
    return {name: value for name, value in spec.items() if name != "template"} if isinstance(spec, Mapping) else spec


def selected_by_budgets(applied: Iterable[Played], workloads: Iterable[Manifest]) -> list[Manifest]:
    """The workloads that a disruption budget of the change selects."""
    budgets = [one.manifest for one in applied if one.manifest["kind"] == "PodDisruptionBudget"]
    serving = [one for one in workloads if one["kind"] in _SERVING]
    return [workload for workload in serving if any(_selects(budget, workload) for budget in budgets)]


def _selects(budget: Manifest, workload: Manifest) -> bool:
    namespaces = [one["metadata"].get("namespace") for one in (budget, workload)]
    labels = (workload["spec"]["template"].get("metadata") or {}).get("labels") or {}
    return namespaces[0] == namespaces[1] and selects((budget.get("spec") or {}).get("selector") or {}, labels)


def _reason(error: ApiError) -> str:
    """The cause of a rejected eviction: the budget and its numbers."""
    causes = (error.details.get("details") or {}).get("causes") or []
    return "; ".join(str(cause.get("message", "")) for cause in causes) or str(error)
