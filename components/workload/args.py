"""The arguments that training jobs and model services share."""

from collections.abc import Iterable
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from ..base.error_table import (
    DERIVED,
    EXCEEDS,
    IMAGE_MISSING,
    MANAGED,
    MOUNT_PATH_TAKEN,
    MUTUALLY_EXCLUSIVE,
    NAME_TAKEN,
    REQUIRES,
    RESERVED,
)
from ..base.errors import raise_all
from ..base.names import (
    AnnotationArguments,
    DeferredImage,
    DeferredName,
    EnvName,
    LabelArguments,
    ObjectName,
)
from ..base.quantities import ByteSize, parse_quantity
from ..pod.env import Env, SecretKey
from ..pod.node_pool import NodePoolReference
from ..pod.resources import GpuCount, Resources
from ..pod.security import Security
from ..pod.volumes import DEFAULT_MOUNT_PATHS, Volumes, normalized, taken_mount_paths
from .init_container import InitContainer
from .object_args import ObjectArgs

# Labels that are derived from another argument, and the argument; None: the component sets the label.
_DERIVED_LABELS = {
    "team": "team",
    "workload-type": None,
    "framework": "framework",
    "experiment": "experiment",
    "model-version": "version",
}


class WorkloadArgs(ObjectArgs):
    """Arguments of every workload."""

    image: DeferredImage | None = Field(default=None, examples=["myregistry/bert-serving:v1.2"])
    """The container image. Defaults to that of the node pool.

    A change rolls the pods of a service; a job needs a new run.
    """

    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "Always"
    """When the kubelet pulls the images.

    ``Always`` resolves the tag at each start with the pod's credentials, and downloads only missing layers.
    ``IfNotPresent`` runs an outdated image if a tag was moved, and lets a pod run a private image that another team
    has pulled to the node. ``Never`` requires that the image is on the node.

    A change rolls the pods of a service; a job needs a new run.
    """

    command: list[str] = Field(default=[], examples=[["python", "train.py"]])
    """The entry point and its first arguments. Defaults to the entry point of the image.

    A change rolls the pods of a service; a job needs a new run.
    """

    args: list[str] = []
    """Arguments to the entry point. A change rolls the pods of a service; a job needs a new run."""

    env: Env = Field(default={}, examples=[{"EPOCHS": "3"}])
    """Environment variables with plain values. For secrets, use ``secret_env``.

    A change rolls the pods of a service; a job needs a new run.
    """

    secret_env: dict[EnvName, SecretKey] = {}
    """Environment variables with values from Secrets. Pods read a value when they start, and not again.

    A change rolls the pods of a service; a job needs a new run.
    """

    resources: Resources = Resources()
    """CPU, memory and local storage of the main container. Each component has its own default.

    A change rolls the pods of a service; a job needs a new run.
    """

    node_pool: NodePoolReference | None = None
    """The nodes on which the workload runs. Defaults to any node without taints.

    A change rolls the pods of a service; a job needs a new run.
    """

    gpus: GpuCount = 0
    """The number of GPUs per pod, as the node pool's ``gpu_resource``. Requests equal limits.

    Requires a ``node_pool`` with GPUs. A change rolls the pods of a service; a job needs a new run.
    """

    labels: LabelArguments = {}
    """Labels of all objects and pods.

    ``app`` defaults to the component's name; it is the selector, so that a change of it replaces the Deployment.
    A change rolls the pods.
    """

    annotations: AnnotationArguments = {}
    """Annotations of all objects and pods. A change rolls the pods."""

    service_account: DeferredName | None = None
    """An existing ServiceAccount for the pods. Defaults to a new one without permissions.

    A change rolls the pods of a service; a job needs a new run.
    """

    image_pull_secrets: list[DeferredName] = []
    """Secrets with the credentials of private registries.

    A change rolls the pods of a service; a job needs a new run.
    """

    priority_class: ObjectName | None = None
    """The PriorityClass of the pods. Must be one of the team's ``priority_quotas``.

    A change rolls the pods of a service; a job needs a new run.
    """

    volumes: Volumes = {}
    """Volumes by name. A change rolls the pods of a service; a job needs a new run."""

    shared_memory: ByteSize | None = Field(default=None, examples=["2Gi"])
    """The size of /dev/shm in bytes. Counts towards the memory limit. Without it, the container runtime provides 64 MB.

    A change rolls the pods of a service; a job needs a new run.
    """

    init_containers: list[InitContainer] = []
    """Containers that run to completion, in this order, before the main container starts.

    A change rolls the pods of a service; a job needs a new run.
    """

    security: Security = Security()
    """Exceptions from the restricted defaults. A change rolls the pods of a service; a job needs a new run."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        of_pods = [*self._placement(), *self._memory(), *self._collisions()] if self.has_pods() else []
        raise_all(
            type(self).__name__, [*self.tenancy_problems(), *of_pods, *self._labels(), *self._component_problems()]
        )
        return self

    def _component_problems(self) -> list[Any]:
        """The problems that only a workload of this kind can have."""
        return []

    def _placement(self) -> list[Any]:
        problems: list[Any] = []
        pool = self.node_pool
        if self.image is None and (pool is None or pool.image is None):
            problems.append((("image",), IMAGE_MISSING()))
        if self.gpus and pool is None:
            problems.append((("gpus",), REQUIRES(requirement="a nodePool with a gpuResource", argument="gpus")))
        elif self.gpus and pool is not None and pool.gpu_resource is None:
            error = REQUIRES(requirement="gpuResource in its node pool", argument="gpus", value=0)
            problems.append((("gpus",), error))
        elif self.gpus and pool is not None:
            for section, resources in (("requests", self.resources.requests), ("limits", self.resources.limits)):
                for resource in pool.gpus(self.gpus).keys() & resources.keys():
                    problems.append((("resources", section, resource), DERIVED(source="gpus")))
        return problems

    def _memory(self) -> list[Any]:
        limit = self.main_resources().limits.get("memory")
        if self.shared_memory is None or limit is None or parse_quantity(self.shared_memory) <= parse_quantity(limit):
            return []
        error = EXCEEDS(given=self.shared_memory, bound="resources.limits.memory", limit=limit, value=limit)
        return [(("sharedMemory",), error)]

    def _labels(self) -> list[Any]:
        problems: list[Any] = []
        for label in self.labels:
            if label not in _DERIVED_LABELS or (label == "team" and self.team is None):
                continue
            argument = _DERIVED_LABELS[label]
            known = argument is not None and argument in type(self).model_fields
            component = type(self).__name__.removesuffix("Args")
            error = DERIVED(source=argument) if known else MANAGED(component=component)
            problems.append((("labels", label), error))
        return problems

    def _collisions(self) -> list[Any]:
        """Names and paths that the pod would have twice."""
        problems: list[Any] = []
        containers = [self.main_container()]
        for index, container in enumerate(self.init_containers):
            if container.name in containers:
                owner = "the main container" if container.name == containers[0] else "another init container"
                error = NAME_TAKEN(name=container.name, owner=owner)
                problems.append((("initContainers", index, "name"), error))
            containers.append(container.name)
        paths = taken_mount_paths({})
        for name, volume in self.volumes.items():
            if name in DEFAULT_MOUNT_PATHS:
                error = RESERVED(name=name, owner=f"the volume at {DEFAULT_MOUNT_PATHS[name]}")
                problems.append((("volumes", name), error))
            owner = paths.setdefault(normalized(volume.path), f"volume {name}")
            if owner != f"volume {name}":
                problems.append((("volumes", name, "path"), MOUNT_PATH_TAKEN(path=volume.path, owner=owner)))
        for name in sorted(self.secret_env.keys() & self.env.keys()):
            error = MUTUALLY_EXCLUSIVE(
                argument=f"secretEnv.{name}",
                other=f"env.{name}",
                reason="a variable has one value",
                fix="remove one of the two",
            )
            problems.append((("secretEnv", name), error))
        return problems

    def variables(self) -> list[tuple[tuple[str | int, ...], Iterable[str]]]:
        """The names of all environment variables, with the argument that sets them."""
        init = [
            (("initContainers", index, "env"), container.env) for index, container in enumerate(self.init_containers)
        ]
        return [(("env",), self.env), (("secretEnv",), self.secret_env), *init]

    def main_container(self) -> str:
        """The name of the main container."""
        raise NotImplementedError

    def has_pods(self) -> bool:
        """Whether the workload runs pods, and therefore requires an image."""
        return True

    def main_resources(self) -> Resources:
        """The resources of the main container: the user's, or else the component's default."""
        given = self.resources
        return given if given.requests or given.limits else self.default_resources()

    def default_resources(self) -> Resources:
        """The component's default resources."""
        raise NotImplementedError
