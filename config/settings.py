"""The settings of a stack: node pools, teams, priority classes, training jobs and model services by name."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property
from typing import Annotated, Any, Self, cast

from pydantic import Field, ValidationInfo, ValidatorFunctionWrapHandler, field_validator, model_validator

from components import NodePool, model_service, training_job
from components.base.arguments import Arguments
from components.base.error_table import NAME_TAKEN, NO_SUCH_CHOICE
from components.base.errors import raise_all
from components.base.inventory import Entry
from components.base.names import DnsLabel, NamespaceName, ServiceName
from components.base.registration import Manifests
from components.pod.presets import PRESETS
from components.priority_classes import PriorityClassesByName
from components.team_namespace.args import Tenant
from components.team_namespace.component import own_objects
from components.team_namespace.footprint import footprint
from components.team_namespace.manifests import manifests as team_manifests
from components.team_namespace.quota_check import quota_problems
from components.workload.args import WorkloadArgs
from config.conflicts import Workload, conflicts
from config.entries import ModelServiceSettings, TeamSettings, TrainingJobSettings, former_key_problems, inventory_of


class NodePoolSettings(NodePool):
    """A node pool of the stack."""

    preset: Annotated[str | None, Field(json_schema_extra={"enum": [*PRESETS, None]})] = None
    """A cloud and a GPU, such as ``gke/nvidia-l4``. Sets nodeSelector, tolerations and gpuResource.

    Labels and tolerations that you set are added to those of the preset; a gpuResource that you set overrides it.
    A change rolls the pods of a service; a job needs a new run.
    """

    @model_validator(mode="before")
    @classmethod
    def _with_preset(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or given.get("preset") is None:
            return given
        preset = PRESETS.get(given["preset"]) if isinstance(given["preset"], str) else None
        if preset is None:
            near = get_close_matches(str(given["preset"]), PRESETS, n=1, cutoff=0.0)[0]
            error = NO_SUCH_CHOICE(kind="preset", name=given["preset"], choices=list(PRESETS), value=near)
            raise_all("NodePoolSettings", [(("preset",), error)])
            return given
        own_selector = given.get("nodeSelector", {})
        merged = {**preset, **given}
        if isinstance(own_selector, Mapping):
            merged["nodeSelector"] = {**preset["nodeSelector"], **own_selector}
        own_tolerations = given.get("tolerations", [])
        if isinstance(own_tolerations, list):
            # The user's own come first, so that the index in the path of an error is that in the stack's file.
            of_preset = [toleration for toleration in preset["tolerations"] if toleration not in own_tolerations]
            merged["tolerations"] = [*own_tolerations, *of_preset]
        return merged


_KINDS: dict[str, tuple[str, Any]] = {
    "trainingJobs": ("TrainingJob", training_job.manifests),
    "modelServices": ("ModelService", model_service.manifests),
}


class StackSettings(Arguments):
    """The configuration of a stack, in the namespace of the project."""

    node_pools: dict[DnsLabel, NodePoolSettings] = Field(default={}, examples=[{"gpu": {"preset": "gke/nvidia-l4"}}])
    """Node pools by name. Workloads refer to them with ``nodePool``."""

    teams: dict[NamespaceName, TeamSettings] = Field(default={}, examples=[{"ml-training": {"quota": {"pods": "20"}}}])
    """Teams by name. Each has a namespace."""

    priority_classes: PriorityClassesByName = Field(default={}, examples=[{"training": {"value": 1000}}])
    """PriorityClasses of the cluster by name. Teams may use those in their priorityQuotas."""

    training_jobs: dict[DnsLabel, TrainingJobSettings] = Field(
        {}, examples=[{"bert": {"team": "ml-training", "nodePool": "gpu", "command": ["python", "train.py"]}}]
    )
    """Training jobs by name."""

    model_services: dict[ServiceName, ModelServiceSettings] = Field(
        {}, examples=[{"bert": {"team": "ml-serving", "image": "myregistry/bert-serving:v1.2", "replicas": 3}}]
    )
    """Model services by name."""

    @field_validator("node_pools", "teams", mode="wrap")
    @classmethod
    def _known_by_name(cls, given: Any, validate: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        """Record the names, which the workloads, validated afterwards, refer to.

        They are recorded even if what they name is invalid, which is then reported once.
        """
        context, field = cast(dict[str, Any], info.context), cast(str, info.field_name)
        context["names"][field] = [str(name) for name in given] if isinstance(given, Mapping) else None
        context[field] = validate(given)
        return context[field]

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """The settings of a stack's YAML. Raises pydantic's ValidationError with all problems."""
        context: dict[str, Any] = {"names": {"node_pools": [], "teams": []}}
        return cls.model_validate(values, by_alias=True, by_name=False, context=context)

    @model_validator(mode="after")
    def _consistent(self) -> "StackSettings":
        workloads = self._workloads
        problems = [
            *(problem for section, entries in self._sections() for problem in former_key_problems(section, entries)),
            *self._shared_namespaces(),
            *conflicts(workloads),
            *self._quota_problems(workloads),
        ]
        raise_all("StackSettings", problems)
        return self

    def _sections(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The sections whose entries have objects."""
        for field in ("teams", "priority_classes", "training_jobs", "model_services"):
            yield str(type(self).model_fields[field].alias), getattr(self, field)

    def inventory(self) -> dict[str, dict[str, Entry]]:
        """All entries that have objects, by section and key."""
        objects: dict[str, dict[str, Manifests]] = {
            "teams": {name: team_manifests(name, team) for name, team in self.teams.items()}
        }
        for workload in self._workloads:
            objects.setdefault(workload.section, {})[workload.name] = workload.objects
        return {section: inventory_of(entries, objects.get(section, {})) for section, entries in self._sections()}

    def _shared_namespaces(self) -> list[Any]:
        """Teams with the same namespace."""
        problems: list[Any] = []
        owners: dict[str, str] = {}
        # Reported at a team that sets its name, rather than at one that is named by its key.
        for name, team in sorted(self.teams.items(), key=lambda item: item[1].name is not None):
            namespace = team.name or name
            if namespace in owners:
                error = NAME_TAKEN(name=namespace, owner=f"team {owners[namespace]}")
                problems.append((("teams", name, "name"), error))
            owners.setdefault(namespace, name)
        return problems

    def _quota_problems(self, workloads: Sequence[Workload]) -> list[Any]:
        """Workloads that exceed the quota of their team, or that its namespace would reject."""
        problems: list[Any] = []
        for name, team in self.teams.items():
            owner = team.tenant(name)
            constraints = team.constraints(str(owner.namespace))
            paths: dict[str, tuple[str, ...]] = {}
            own, objects = own_objects(name, team_manifests(name, team))
            counted = {own: footprint(objects.values(), constraints.limits)}
            for workload in workloads:
                if workload.args.team == name or workload.args.namespace == owner.namespace:
                    title = f"{_KINDS[workload.section][0]} {workload.name}"
                    paths[title] = workload.at()
                    counted[title] = footprint(workload.objects.values(), constraints.limits)
            for found in quota_problems(constraints, counted):
                path = ("teams", name) if found.workload is None else paths[found.workload]
                problems.append(((*path, *found.problem.path), found.problem.error()))
        return problems

    def tenant_of(self, args: WorkloadArgs) -> Tenant:
        """The namespace of a workload of the stack, and the team that owns it."""
        name = args.team
        return self.teams[name].tenant(name) if isinstance(name, str) else args.tenant()

    @cached_property
    def _workloads(self) -> list[Workload]:
        """The workloads with their manifests."""
        return list(self._built())

    def _built(self) -> Iterator[Workload]:
        for section, (_, manifests) in _KINDS.items():
            workloads = self.training_jobs if section == "trainingJobs" else self.model_services
            for name, args in workloads.items():
                owner = self.tenant_of(args)
                yield Workload(section, name, args, str(owner.namespace), manifests(name, args, owner))
