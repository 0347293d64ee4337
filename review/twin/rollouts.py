"""The ready endpoints of each Service over time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from components.base.objects import Manifest, pod_templates, selects, target
from review.twin.observe import Sample, ServiceName
from review.twin.owners import controller_of, wanted_pods

# Simulated seconds are real ones times the scale; shorter dips, in real seconds, are those of controllers alone.
_NOISE = 0.15


@dataclass(frozen=True)
class Rollout:
    """The ready endpoints of a Service during a change. Times are simulated seconds."""

    target: str
    wanted_before: int
    wanted_after: int
    minimum: int
    """The lowest number of ready endpoints."""

    below_seconds: float
    """How long it had fewer than it wants before and after."""

    zero_seconds: float
    """How long it had none, from the first to the last ready endpoint."""

    seconds: float
    """The duration of the change."""

    samples: tuple[Sample, ...]

    @property
    def ready_before(self) -> int:
        """The number of ready endpoints before the change."""
        return self.samples[0].ready

    @property
    def ready_after(self) -> int:
        """The number of ready endpoints after the change."""
        return self.samples[-1].ready


def selected_workloads(service: Manifest, objects: Iterable[Manifest]) -> list[Manifest]:
    """The workloads whose pods a Service selects."""
    selector = (service.get("spec") or {}).get("selector")
    namespace = service["metadata"].get("namespace")
    if not selector:
        return []
    return [
        one
        for one in objects
        if one["metadata"].get("namespace") == namespace
        and controller_of(one) is None
        and wanted_pods(one) is not None
        and any(
            selects(selector, (template.get("metadata") or {}).get("labels") or {}) for template in pod_templates(one)
        )
    ]


def rollouts(
    before: Sequence[Manifest],
    after: Sequence[Manifest],
    samples: Mapping[ServiceName, Sequence[Sample]],
    end: float,
    scale: float,
) -> list[Rollout]:
    """The rollout of every Service that has ready endpoints before, or should have some after."""
    found = []
    services = {_name(one): one for side in (before, after) for one in side if one["kind"] == "Service"}
    wanted = [_wanted(side) for side in (before, after)]
    for name, service in sorted(services.items()):
        recorded = tuple(samples.get(name) or (Sample(0.0, 0),))
        first, second = (side.get(name, 0) for side in wanted)
        if (service.get("spec") or {}).get("selector") and (recorded[0].ready or second or len(recorded) > 1):
            found.append(_rollout(target(service), first, second, recorded, end, scale))
    return found


def _name(service: Manifest) -> ServiceName:
    return service["metadata"].get("namespace", "default"), service["metadata"]["name"]


def _wanted(objects: Sequence[Manifest]) -> dict[ServiceName, int]:
    """The number of pods that each Service should have."""
    workloads = [one for one in objects if one["kind"] != "Service" and wanted_pods(one)]
    return {
        _name(service): sum(wanted_pods(one) or 0 for one in selected_workloads(service, workloads))
        for service in objects
        if service["kind"] == "Service"
    }


def _rollout(
    name: str, wanted_before: int, wanted_after: int, samples: tuple[Sample, ...], end: float, scale: float
) -> Rollout:
    least = min(wanted_before, wanted_after) or wanted_after
    below = zero = 0.0
    serving = [index for index, sample in enumerate(samples) if sample.ready]
    for index, sample in enumerate(samples):
        following = samples[index + 1].at if index + 1 < len(samples) else end
        lasted = max(0.0, following - sample.at)
        if lasted < _NOISE * scale:
            continue
        below += lasted if sample.ready < least else 0
        zero += lasted if serving and not sample.ready and serving[0] < index < serving[-1] else 0
    minimum = min(sample.ready for sample in samples)
    return Rollout(name, wanted_before, wanted_after, minimum, below, zero, end, samples)
