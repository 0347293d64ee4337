"""PriorityClasses: who goes first where a cluster is full. They belong to the cluster: once a platform."""

from typing import Annotated, Any, Literal

import pulumi
from pydantic import AfterValidator, Field

from .base.arguments import Arguments
from .base.errors import refuse
from .base.names import ObjectName
from .base.registration import Manifest, Manifests, register_all

TYPE = "ml-platform:index:PriorityClasses"


def _class_name(name: str) -> str:
    if name.startswith("system-"):
        raise refuse(f"{name!r}: Kubernetes keeps system- for itself", value=name.removeprefix("system-") or None)
    return name


PriorityClassName = Annotated[ObjectName, AfterValidator(_class_name)]


class PriorityClassArgs(Arguments):
    """One PriorityClass. None is the cluster's default: that would change the pods of everybody."""

    value: Annotated[int, Field(ge=-(10**9), le=10**9, strict=True)] = Field(examples=[1000])
    """Higher goes first. Pods without a class have 0."""

    preemption: Literal["PreemptLowerPriority", "Never"] = "PreemptLowerPriority"
    """Whether waiting pods end pods of lower priority, or only go first when there is room."""

    description: str = Field(default="", examples=["Training that may be interrupted."])
    """What the class is for."""


PriorityClassesByName = dict[PriorityClassName, PriorityClassArgs]


class PriorityClassesArgs(Arguments):
    """Arguments of PriorityClasses."""

    classes: PriorityClassesByName
    """The classes by name."""


def manifests(args: PriorityClassesArgs) -> Manifests:
    """The PriorityClasses; the role of each is its name."""
    return {name: _manifest(name, priority) for name, priority in args.classes.items()}


def _manifest(name: str, priority: PriorityClassArgs) -> Manifest:
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/managed-by": "pulumi"}},
        "value": priority.value,
        "preemptionPolicy": priority.preemption,
        **({"description": priority.description} if priority.description else {}),
    }


class PriorityClasses(pulumi.ComponentResource):
    """The PriorityClasses of a platform. Children: ``<name>-<class>``."""

    names: list[str]
    """Their names."""

    def __init__(
        self, name: str, args: PriorityClassesArgs | dict[str, Any], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = PriorityClassesArgs.of(args)
        super().__init__(TYPE, name, {}, opts)
        self.names = list(args.classes)
        register_all(self, name, manifests(args))
        self.register_outputs({"names": self.names})
