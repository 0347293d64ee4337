"""Conflicts between the workloads of a stack: objects of one name, and selectors that match the same pods."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydantic_core import PydanticCustomError

from components import ModelServiceArgs
from components.base.error_table import NAME_TAKEN, OBJECT_CONFLICT, SELECTOR_CONFLICT
from components.base.registration import Manifests
from components.model_service import canary
from components.workload.args import WorkloadArgs

Conflict = tuple[tuple[str, ...], PydanticCustomError]
"""The path of an argument, and its error."""

# The name of a run must be unique whatever its kind, since its checkpoints are stored under the name.
_RUN = "run"
_KINDS_OF_RUNS = {"Job", "JobSet", "Pod"}


@dataclass(frozen=True)
class Workload:
    """A workload of the stack, with its manifests."""

    section: str
    name: str
    args: WorkloadArgs
    namespace: str
    objects: Manifests

    def at(self, *path: str) -> tuple[str, ...]:
        """The path of an argument."""
        return self.section, self.name, *path

    def apps(self) -> set[str]:
        """The ``app`` labels that select its pods: that of the workload and, if it differs, that of the canary."""
        return {str(manifest["metadata"]["labels"]["app"]) for manifest in self.objects.values()}


def conflicts(workloads: Iterable[Workload]) -> Iterator[Conflict]:
    """All conflicts, each reported at the later workload."""
    named: dict[tuple[str, str], str] = {}
    selected: dict[tuple[str, str], str] = {}
    owners: dict[tuple[str, str, str], tuple[Workload, str]] = {}
    for workload in workloads:
        name = workload.args.object_name(workload.name)
        if named.setdefault((workload.namespace, name), workload.section) != workload.section:
            taken_by = "a training job in the same namespace"
            yield workload.at(), NAME_TAKEN(name=name, owner=taken_by, key=f"{name}-service")
            continue
        if isinstance(workload.args, ModelServiceArgs) and workload.args.canary:
            yield from ((workload.at(), error) for _, error in canary.canary_name_problems(name, []))
        reported: dict[tuple[str, ...], str] = {}
        for role, manifest in workload.objects.items():
            kind = _RUN if manifest["kind"] in _KINDS_OF_RUNS else manifest["kind"]
            key = (kind, workload.namespace, manifest["metadata"]["name"])
            owner = owners.setdefault(key, (workload, role))
            if owner[0] is not workload:
                path, error = _same_object(kind, key[-1], owner, (workload, role))
                if path not in reported:  # a canary has a Service too: one problem, not two
                    yield path, error
                reported[path] = owner[0].name
        of_canary = {other for path, other in reported.items() if path[-1] == "canary"}
        for app in sorted(workload.apps()):
            other = selected.setdefault((workload.namespace, app), workload.name)
            if other not in {workload.name, *of_canary}:
                yield workload.at("labels", "app"), SELECTOR_CONFLICT(app=app, other=other)


def _same_object(kind: str, name: str, first: tuple[Workload, str], second: tuple[Workload, str]) -> Conflict:
    """The conflict of two workloads that have an object of the same name, each with the role of its object."""
    (other, _), (workload, role) = (second, first) if first[1].startswith("canary") else (first, second)
    if role.startswith("canary"):
        path, fix = workload.at("canary"), f"choose another name for {other.name} or its Service"
    elif kind == _RUN:
        path, fix = workload.at("runId"), "set another runId"
    else:
        path, fix = workload.at("service", "name"), f"choose another name for one {kind}"
    return path, OBJECT_CONFLICT(kind=kind, name=name, other=other.name, fix=fix)
