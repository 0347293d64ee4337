"""What training jobs and model services share: their arguments, and the pod that is made of them."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self

import pulumi
from pydantic import Field, PlainValidator, ValidationInfo, WithJsonSchema, model_validator

from ..base.arguments import Arguments, check_reference
from ..base.errors import raise_all, refuse
from ..base.names import (
    Annotations,
    DeferredImage,
    DeferredName,
    DeferredNamespace,
    DnsLabel,
    EnvName,
    LabelValue,
    ObjectName,
    QualifiedName,
)
from ..base.quantities import ByteSize, parse_quantity
from ..base.registration import Manifests
from ..pod.env import Env, SecretKey
from ..pod.node_pool import NodePoolReference
from ..pod.resources import GpuCount, Resources
from ..pod.security import Security
from ..pod.volumes import OF_EVERY_POD, Volumes, normalized, taken_mount_paths
from ..team_namespace.args import Tenant
from ..team_namespace.component import TeamNamespace

# Set by arguments of their own, so that there is one place for each.
_DERIVED_LABELS = {
    "team": "team",
    "workload-type": None,
    "framework": "framework",
    "experiment": "experiment",
    "model-version": "version",
}


class InitContainer(Arguments):
    """A container that runs to its end before the main one starts, to stage data for instance."""

    name: DnsLabel
    """The container's name."""

    image: DeferredImage | None = None
    """Container image; default: the workload's own."""

    command: list[str] = []
    """The program and its first arguments; default: the image's entry point."""

    args: list[str] = []
    """Arguments to the program."""

    env: Env = {}
    """Environment variables, beside the workload's own, or instead of one of the same name."""

    resources: Resources
    """What the container asks for. Required: a quota refuses pods with a container that has none."""

    @model_validator(mode="after")
    def _has_resources(self) -> Self:
        if not self.resources.requests and not self.resources.limits:
            error = refuse("is empty", "a quota refuses pods with a container without requests: give cpu and memory")
            raise_all("InitContainer", [(("resources",), error)])
        return self


def _team(value: Any, info: ValidationInfo) -> TeamNamespace | str:
    """Check the name of one of the stack's teams; Python callers pass the TeamNamespace itself."""
    if isinstance(value, TeamNamespace):
        return value
    if not isinstance(value, str):
        raise refuse("must be a TeamNamespace" if info.context is None else "must be the name of a team")
    if info.context is None:
        raise refuse(f"{value!r} is a name: only a stack's configuration knows teams by name", "pass a TeamNamespace")
    check_reference(value, "team", info.context["names"]["teams"])
    return value


TeamReference = Annotated[
    TeamNamespace | str,
    PlainValidator(_team),
    WithJsonSchema(
        {"type": "string", "description": "The name of one of the stack's teams.", "examples": ["ml-training"]}
    ),
]


class WorkloadArgs(Arguments):
    """Arguments of every workload."""

    team: TeamReference | None = None
    """The team whose namespace the workload lives in. Give this or ``namespace``."""

    namespace: DeferredNamespace | None = None
    """An existing namespace that the workload lives in. Give this or ``team``."""

    image: DeferredImage | None = Field(default=None, examples=["myregistry/bert-serving:v1.2"])
    """Container image; default: the node pool's."""

    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "Always"
    """When the nodes ask the registry for the images, in Kubernetes' own words.

    ``Always`` asks at each start, with the pod's own credentials, and downloads only what is missing.
    Otherwise a pod may run a private image that another team's pod has left on the node, and keeps
    running the old one where a tag was moved. ``Never``: images are put on the nodes beforehand.
    """

    command: list[str] = Field(default=[], examples=[["python", "train.py"]])
    """The program and its first arguments; default: the image's entry point."""

    args: list[str] = []
    """Arguments to the program."""

    env: Env = Field(default={}, examples=[{"EPOCHS": "3"}])
    """Environment variables with plain values. Never a secret: see ``secret_env``."""

    secret_env: dict[EnvName, SecretKey] = {}
    """Environment variables whose values the cluster takes from a Secret."""

    resources: Resources = Resources()
    """CPU and memory of the main container; default: the component's own."""

    node_pool: NodePoolReference | None = None
    """The nodes that the workload runs on; default: any."""

    gpus: GpuCount = 0
    """GPUs of each pod, in the node pool's ``gpu_resource``. Requests equal limits, as Kubernetes wants."""

    labels: dict[QualifiedName, LabelValue] = {}
    """Labels of all objects and pods. ``app`` is also what selects the pods; default: the component's name."""

    annotations: Annotations = {}
    """Annotations of all objects and pods."""

    service_account: DeferredName | None = None
    """An existing ServiceAccount for the pods; default: one of the workload's own, without rights."""

    image_pull_secrets: list[DeferredName] = []
    """Secrets with the credentials of private registries."""

    priority_class: ObjectName | None = None
    """PriorityClass of the pods. A team uses those that its ``priority_quotas`` name."""

    volumes: Volumes = {}
    """Data volumes by name."""

    shared_memory: ByteSize | None = Field(default=None, examples=["2Gi"])
    """Size of /dev/shm, which Kubernetes limits to 64 MB where none is given. Counts as memory."""

    init_containers: list[InitContainer] = []
    """Containers that run before the main one, one after the other."""

    security: Security = Security()
    """Opt-outs from the restricted defaults."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        of_pods = [*self._placement(), *self._memory(), *self._collisions()] if self.has_pods() else []
        raise_all(type(self).__name__, [*self._tenancy(), *of_pods, *self._labels(), *self._own()])
        return self

    def _own(self) -> list[Any]:
        """What a workload of one kind checks besides, so that all its problems are told at once."""
        return []

    def _tenancy(self) -> list[Any]:
        if (self.team is None) != (self.namespace is None):
            return []
        said = "both are given" if self.team is not None else "neither is given"
        fix = "a team brings its namespace: keep team" if self.team is not None else "give team"
        return [(("team",), refuse(f"a workload has a team or a namespace: {said}", fix))]

    def _placement(self) -> list[Any]:
        problems: list[Any] = []
        if self.image is None and (self.node_pool is None or self.node_pool.image is None):
            fix = "set image, or a nodePool that has one"
            problems.append((("image",), refuse("no image: neither the workload nor its node pool names one", fix)))
        if self.gpus and self.node_pool is None:
            error = refuse("GPUs need a node pool that has them", "set nodePool to a pool with a gpuResource")
            problems.append((("gpus",), error))
        elif self.gpus and self.node_pool is not None and self.node_pool.gpu_resource is None:
            error = refuse(
                "the node pool has no GPUs", "set the pool's gpuResource, choose another pool, or 0", value=0
            )
            problems.append((("gpus",), error))
        elif self.gpus and self.node_pool is not None:
            for section, resources in (("requests", self.resources.requests), ("limits", self.resources.limits)):
                for resource in self.node_pool.gpus(self.gpus).keys() & resources.keys():
                    fix = f"remove {resource} here, or gpus"
                    problems.append((("resources", section, resource), refuse("is counted by gpus", fix)))
        return problems

    def _memory(self) -> list[Any]:
        limit = self.main_resources().limits.get("memory")
        if self.shared_memory is None or limit is None or parse_quantity(self.shared_memory) <= parse_quantity(limit):
            return []
        what = f"{self.shared_memory} is above the memory limit of {limit}, which /dev/shm counts against"
        fix = "lower sharedMemory or raise resources.limits.memory"
        return [(("sharedMemory",), refuse(what, fix, value=limit))]

    def _labels(self) -> list[Any]:
        problems: list[Any] = []
        for label in self.labels:
            if label not in _DERIVED_LABELS or (label == "team" and self.team is None):
                continue
            argument = _DERIVED_LABELS[label]
            known = argument is not None and argument in type(self).model_fields
            fix = f"set {argument} instead" if known else f"remove it: {type(self).__name__} sets it"
            problems.append((("labels", label), refuse("is set from an argument of its own", fix)))
        return problems

    def _collisions(self) -> list[Any]:
        """Names and paths that a pod would have twice."""
        problems: list[Any] = []
        containers = [self.main_container()]
        for index, container in enumerate(self.init_containers):
            if container.name in containers:
                owner = "the main container" if container.name == containers[0] else "another init container"
                problems.append((("initContainers", index, "name"), refuse(f"{container.name!r} is taken by {owner}")))
            containers.append(container.name)
        places = taken_mount_paths({})
        for name, volume in self.volumes.items():
            if name in OF_EVERY_POD:
                error = refuse("is the name of a volume that every pod has anyway", "give it another name")
                problems.append((("volumes", name), error))
            owner = places.setdefault(normalized(volume.path), f"volume {name}")
            if owner != f"volume {name}":
                problems.append((("volumes", name, "path"), refuse(f"{volume.path} is taken by {owner}")))
        for name in sorted(self.secret_env.keys() & self.env.keys()):
            problems.append((("secretEnv", name), refuse("is a variable of env, too", "remove it from one of the two")))
        return problems

    def variables(self) -> list[tuple[tuple[str | int, ...], Iterable[str]]]:
        """The names of all environment variables, by the arguments that set them."""
        init = [
            (("initContainers", index, "env"), container.env) for index, container in enumerate(self.init_containers)
        ]
        return [(("env",), self.env), (("secretEnv",), self.secret_env), *init]

    def main_container(self) -> str:
        """The main container's name."""
        raise NotImplementedError

    def has_pods(self) -> bool:
        """Whether the workload runs pods at all, and so needs an image."""
        return True

    def main_resources(self) -> Resources:
        """The resources of the main container: the user's, or the component's default where none are given."""
        given = self.resources
        return given if given.requests or given.limits else self.default_resources()

    def default_resources(self) -> Resources:
        """The component's own default."""
        raise NotImplementedError

    def in_team(self, teams: Mapping[str, TeamNamespace]) -> Self:
        """The same arguments with the team itself in place of its name."""
        return self.model_copy(update={"team": teams[self.team]}) if isinstance(self.team, str) else self

    def tenant(self) -> Tenant:
        """Where the workload lives and whom it belongs to."""
        if isinstance(self.team, TeamNamespace):
            return self.team.tenant
        if self.namespace is not None:
            return Tenant(self.namespace, None)
        raise ValueError("the team of a stack's configuration is resolved by in_team()")

    def count_in(self, workload: str, manifests: Manifests) -> None:
        """Let the team count the workload's objects; refused where its quota cannot hold them."""
        if isinstance(self.team, TeamNamespace):
            self.team.count_in(workload, manifests)

    def dependencies(self) -> list[pulumi.Resource]:
        """What has to exist before the workload: its namespace with all that rules it."""
        return [self.team] if isinstance(self.team, TeamNamespace) else []
