"""The settings of a stack: node pools, teams, training jobs and model services by name."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated, Any, Self, cast

from pydantic import Field, ValidationInfo, ValidatorFunctionWrapHandler, field_validator, model_validator

from components import ModelServiceArgs, NodePool, TeamNamespaceArgs, TrainingJobArgs, model_service, training_job
from components.base.arguments import Arguments
from components.base.errors import raise_all, refuse
from components.base.names import DnsLabel, NamespaceName, ServiceName
from components.pod.presets import PRESETS
from components.priority_classes import PriorityClassesByName
from components.team_namespace.args import Tenant, refusal, tenant
from components.team_namespace.component import own_objects
from components.team_namespace.footprint import footprint
from components.team_namespace.manifests import manifests as team_manifests
from components.team_namespace.quota_check import shortfalls
from components.workload.args import WorkloadArgs
from config.conflicts import Workload, collisions


class NodePoolSettings(NodePool):
    """A node pool of the stack."""

    preset: Annotated[str | None, Field(json_schema_extra={"enum": [*PRESETS, None]})] = None
    """A cloud and a GPU, such as ``gke/nvidia-l4``: fills nodeSelector, tolerations and gpuResource.

    Your own labels and tolerations are added to the preset's; your own gpuResource takes its place.
    """

    @model_validator(mode="before")
    @classmethod
    def _filled_from_preset(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or given.get("preset") is None:
            return given
        preset = PRESETS.get(given["preset"]) if isinstance(given["preset"], str) else None
        if preset is None:
            near = get_close_matches(str(given["preset"]), PRESETS, n=1, cutoff=0.0)[0]
            error = refuse(f"there is no preset {given['preset']!r}", f"use one of {', '.join(PRESETS)}", value=near)
            raise_all("NodePoolSettings", [(("preset",), error)])
            return given
        own_selector = given.get("nodeSelector", {})
        merged = {**preset, **given}
        if isinstance(own_selector, Mapping):
            merged["nodeSelector"] = {**preset["nodeSelector"], **own_selector}
        own_tolerations = given.get("tolerations", [])
        if isinstance(own_tolerations, list):
            # The user's own come first: what is wrong with one is told by its place in the stack's file.
            of_preset = [toleration for toleration in preset["tolerations"] if toleration not in own_tolerations]
            merged["tolerations"] = [*own_tolerations, *of_preset]
        return merged


_KINDS: dict[str, tuple[str, Any]] = {
    "trainingJobs": ("TrainingJob", training_job.manifests),
    "modelServices": ("ModelService", model_service.manifests),
}


class StackSettings(Arguments):
    """All that a stack's configuration says, under the project's own namespace."""

    node_pools: dict[DnsLabel, NodePoolSettings] = Field(default={}, examples=[{"gpu": {"preset": "gke/nvidia-l4"}}])
    """Node pools by name."""

    teams: dict[NamespaceName, TeamNamespaceArgs] = Field(
        default={}, examples=[{"ml-training": {"quota": {"pods": "20"}}}]
    )
    """Teams by name: each gets a namespace."""

    priority_classes: PriorityClassesByName = Field(default={}, examples=[{"training": {"value": 1000}}])
    """The cluster's PriorityClasses by name. Teams use those that their priorityQuotas name."""

    training_jobs: dict[DnsLabel, TrainingJobArgs] = Field(
        {}, examples=[{"bert": {"team": "ml-training", "nodePool": "gpu", "command": ["python", "train.py"]}}]
    )
    """Training jobs by name."""

    model_services: dict[ServiceName, ModelServiceArgs] = Field(
        {}, examples=[{"bert": {"team": "ml-serving", "image": "myregistry/bert-serving:v1.2", "replicas": 3}}]
    )
    """Model services by name."""

    @field_validator("node_pools", "teams", mode="wrap")
    @classmethod
    def _known_by_name(cls, given: Any, validate: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        """Let the workloads, which are validated after these, refer to them by name.

        The names are known even where what they name is refused: one mistake, one message.
        """
        context, field = cast(dict[str, Any], info.context), cast(str, info.field_name)
        context["names"][field] = [str(name) for name in given] if isinstance(given, Mapping) else None
        context[field] = validate(given)
        return context[field]

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """The settings in a stack's own spelling; raises pydantic's ValidationError with all problems."""
        context: dict[str, Any] = {"names": {"node_pools": [], "teams": []}}
        return cls.model_validate(values, by_alias=True, by_name=False, context=context)

    @model_validator(mode="after")
    def _fits_together(self) -> "StackSettings":
        workloads = list(self._workloads())
        raise_all("StackSettings", [*self._of_teams(), *collisions(workloads), *self._shortfalls(workloads)])
        return self

    def _of_teams(self) -> list[Any]:
        """Teams of one namespace."""
        problems: list[Any] = []
        owners: dict[str, str] = {}
        # Those that are named by their keys first: the other one has a name that can be changed.
        for name, team in sorted(self.teams.items(), key=lambda item: item[1].name is not None):
            namespace = team.name or name
            if namespace in owners:
                fix = "give each team a namespace of its own"
                error = refuse(f"namespace {namespace} already belongs to team {owners[namespace]}", fix)
                problems.append((("teams", name, "name"), error))
            owners.setdefault(namespace, name)
        return problems

    def _shortfalls(self, workloads: Sequence[Workload]) -> list[Any]:
        """What the teams' quotas cannot hold."""
        problems: list[Any] = []
        for name, team in self.teams.items():
            owner = tenant(name, team)
            terms = team.terms(str(owner.namespace))
            places: dict[str, tuple[str, ...]] = {}
            own, objects = own_objects(name, team_manifests(name, team))
            counted = {own: footprint(objects.values(), terms.limits)}
            for workload in workloads:
                if workload.args.team == name or workload.args.namespace == owner.namespace:
                    told = f"{_KINDS[workload.section][0]} {workload.name}"
                    places[told] = workload.at()
                    counted[told] = footprint(workload.objects.values(), terms.limits)
            for short in shortfalls(terms, counted):
                place = ("teams", name) if short.workload is None else places[short.workload]
                problems.append(((*place, *short.path), refusal(short)))
        return problems

    def tenant_of(self, args: WorkloadArgs) -> Tenant:
        """Where a workload of the stack lives and whom it belongs to."""
        name = args.team
        return tenant(name, self.teams[name]) if isinstance(name, str) else args.tenant()

    def _workloads(self) -> Iterator[Workload]:
        for section, (_, manifests) in _KINDS.items():
            workloads = self.training_jobs if section == "trainingJobs" else self.model_services
            for name, args in workloads.items():
                owner = self.tenant_of(args)
                yield Workload(section, name, args, str(owner.namespace), manifests(name, args, owner))
