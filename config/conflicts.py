"""Workloads of a stack that are in each other's way: by their objects, and by what selects their pods."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from components import ModelServiceArgs
from components.base.errors import refuse
from components.base.registration import Manifests
from components.model_service import canary
from components.workload.args import WorkloadArgs

Problem = tuple[tuple[str, ...], Any]
"""The path of an argument, and what is wrong with it."""

# What a run writes is kept apart by its name, whatever runs it.
_RUN = "run"
_KINDS_OF_RUNS = {"Job", "JobSet", "Pod"}


@dataclass(frozen=True)
class Workload:
    """A workload of the stack, and the objects that it becomes."""

    section: str
    name: str
    args: WorkloadArgs
    namespace: str
    objects: Manifests

    def at(self, *path: str) -> tuple[str, ...]:
        """The path of an argument."""
        return self.section, self.name, *path

    def apps(self) -> set[str]:
        """The ``app`` labels that select its pods: its own and, where that differs, the canary's."""
        return {str(manifest["metadata"]["labels"]["app"]) for manifest in self.objects.values()}


def collisions(workloads: Iterable[Workload]) -> Iterator[Problem]:
    """All that is in the way of something else."""
    named: dict[tuple[str, str], str] = {}
    selected: dict[tuple[str, str], str] = {}
    owners: dict[tuple[str, str, str], tuple[Workload, str]] = {}
    for workload in workloads:
        if named.setdefault((workload.namespace, workload.name), workload.section) != workload.section:
            fix = f"rename it, for example to {workload.name}-service"
            yield workload.at(), refuse("a training job of this name is in the same namespace", fix)
            continue
        if isinstance(workload.args, ModelServiceArgs) and workload.args.canary:
            yield from ((workload.at(), error) for _, error in canary.canary_name_problems(workload.name, []))
        told: dict[tuple[str, ...], str] = {}
        for role, manifest in workload.objects.items():
            kind = _RUN if manifest["kind"] in _KINDS_OF_RUNS else manifest["kind"]
            key = (kind, workload.namespace, manifest["metadata"]["name"])
            owner = owners.setdefault(key, (workload, role))
            if owner[0] is not workload:
                path, error = _one_object(kind, key[-1], owner, (workload, role))
                if path not in told:  # a canary has a Service too: one mistake, one message
                    yield path, error
                told[path] = owner[0].name
        canarys = {other for path, other in told.items() if path[-1] == "canary"}
        for app in sorted(workload.apps()):
            other = selected.setdefault((workload.namespace, app), workload.name)
            if other not in {workload.name, *canarys}:
                what = f"{app!r} also selects the pods of {other}, in the same namespace"
                yield workload.at("labels", "app"), refuse(what, "give each workload its own app label")


def _one_object(kind: str, name: str, first: tuple[Workload, str], second: tuple[Workload, str]) -> Problem:
    """Two workloads, each with the role of the object that both would have, as a problem of one of them."""
    (other, _), (workload, role) = (second, first) if first[1].startswith("canary") else (first, second)
    if role.startswith("canary"):
        fix = "rename that service" if kind == "Deployment" else "give that Service another name"
        return workload.at("canary"), refuse(f"its objects would be those of the service {other.name}", fix)
    what = f"a {kind} {name!r} of {other.name} is in the same namespace"
    if kind == _RUN:
        return workload.at("runId"), refuse(what, "give it another runId")
    return workload.at("service", "name"), refuse(what, f"give each {kind} a name of its own")
