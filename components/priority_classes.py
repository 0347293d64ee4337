"""PriorityClasses: the scheduling priorities of a cluster.

They are cluster-scoped: a platform defines them once.
"""

from typing import Annotated, Any, Literal

import pulumi
from pydantic import AfterValidator, Field

from .base.arguments import Arguments
from .base.error_table import RESERVED
from .base.labels import MANAGED_BY
from .base.names import ObjectName
from .base.objects import Manifest
from .base.registration import Manifests, register_all

TYPE = "ml-platform:index:PriorityClasses"


def _class_name(name: str) -> str:
    if name.startswith("system-"):
        raise RESERVED(name=name, owner="Kubernetes", value=name.removeprefix("system-") or None)
    return name


PriorityClassName = Annotated[ObjectName, AfterValidator(_class_name)]


class PriorityClassArgs(Arguments):
    """One PriorityClass.

    None of them is the cluster's default, which would apply to the pods of every namespace.
    """

    value: Annotated[int, Field(ge=-(10**9), le=10**9, strict=True)] = Field(examples=[1000])
    """The priority: pods with a higher value are scheduled first. Pods without a class have priority 0.

    A change replaces the object.
    """

    preemption: Literal["PreemptLowerPriority", "Never"] = "PreemptLowerPriority"
    """Whether pending pods preempt pods of lower priority, or only precede them in the scheduling queue.

    A change replaces the object.
    """

    description: str = Field(default="", examples=["Training that may be interrupted."])
    """When to use the class. Updatable in place."""

    name: PriorityClassName | None = None
    """The name of the object. Defaults to the key of the class. A change replaces the object."""

    formerly: ObjectName | None = None
    """The key that the class had at the last update, which is then the default of ``name``: the object stays.

    Updatable in place.
    """


PriorityClassesByName = dict[PriorityClassName, PriorityClassArgs]


class PriorityClassesArgs(Arguments):
    """Arguments of PriorityClasses."""

    classes: PriorityClassesByName
    """The classes by name. Classes can be added and removed; the name of a class is immutable. Updatable in place."""


def manifests(args: PriorityClassesArgs) -> Manifests:
    """The PriorityClasses; the role of each is its name."""
    return {
        key: _manifest(priority.name or priority.formerly or key, priority) for key, priority in args.classes.items()
    }


def _manifest(name: str, priority: PriorityClassArgs) -> Manifest:
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": name, "labels": MANAGED_BY},
        "value": priority.value,
        "preemptionPolicy": priority.preemption,
        **({"description": priority.description} if priority.description else {}),
    }


class PriorityClasses(pulumi.ComponentResource):
    """The PriorityClasses of a platform. Children: ``<name>-<class>``."""

    names: list[str]
    """The names of the classes."""

    def __init__(
        self, name: str, args: PriorityClassesArgs | dict[str, Any], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = PriorityClassesArgs.of(args)
        super().__init__(TYPE, name, {}, opts)
        self.names = list(args.classes)
        objects = manifests(args)
        # Both fields are immutable, and the provider would try to update them.
        replaced = pulumi.ResourceOptions(replace_on_changes=["value", "preemptionPolicy"], delete_before_replace=True)
        options = {
            key: pulumi.ResourceOptions.merge(replaced, _former(name, priority))
            for key, priority in args.classes.items()
        }
        register_all(self, name, objects, options=options)
        self.register_outputs({"names": self.names})


def _former(component: str, priority: PriorityClassArgs) -> pulumi.ResourceOptions:
    former = priority.formerly
    return pulumi.ResourceOptions(aliases=[pulumi.Alias(name=f"{component}-{former}")] if former else None)
