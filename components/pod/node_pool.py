"""Node pools: which nodes a workload runs on, and what is special about them.

A workload cannot set the image of its node: it can only select nodes that have it. ``node_image``
is therefore a fact about the pool, exported for the stack that makes the nodes.
"""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema, model_validator

from ..base.arguments import Arguments, check_reference
from ..base.errors import raise_all, refuse
from ..base.names import Image, LabelValue, ObjectName, QualifiedName
from .resources import ResourceList


class Toleration(Arguments):
    """A taint of the nodes that the workload accepts, as in a pod's ``tolerations``."""

    key: QualifiedName = Field(examples=["nvidia.com/gpu"])
    """The taint's key."""

    operator: Literal["Exists", "Equal"] | None = None
    """Whether any value of the taint will do, or only ``value``; default: ``Equal`` with a value, else ``Exists``."""

    value: LabelValue | None = None
    """The taint's value."""

    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """The effect that is tolerated; default: every effect."""

    @model_validator(mode="after")
    def _of_one_value_or_any(self) -> "Toleration":
        if self.operator == "Exists" and self.value:
            error = refuse("Exists tolerates any value, and one is given", "set Equal, or remove value", "Equal")
            raise_all("Toleration", [(("operator",), error)])
        return self

    def manifest(self) -> dict[str, Any]:
        """The pod's ``tolerations`` entry."""
        operator = self.operator or ("Exists" if self.value is None else "Equal")
        return {**self.model_dump(by_alias=True, exclude_none=True), "operator": operator}


def _device(name: str) -> str:
    if "/" not in name:
        raise refuse(f"{name} is not a resource of a device plugin: its name has a domain", value=f"nvidia.com/{name}")
    return name


class NodePool(Arguments):
    """A group of alike nodes, and the container image that suits them."""

    image: Image | None = Field(default=None, examples=["pytorch/pytorch:2.1.0-cuda12.1-cudnn8-runtime"])
    """Container image of workloads on this pool that name none."""

    node_image: str | None = Field(default=None, examples=["COS_CONTAINERD"])
    """The image of the nodes themselves, in the cloud's own term. Exported, not enforced."""

    node_selector: dict[QualifiedName, LabelValue] = {}
    """Labels that the pool's nodes have."""

    tolerations: list[Toleration] = []
    """Taints that the pool's nodes have."""

    gpu_resource: Annotated[QualifiedName, AfterValidator(_device)] | None = Field(
        default=None, examples=["nvidia.com/gpu"]
    )
    """What the nodes call a GPU: ``nvidia.com/gpu``, ``amd.com/gpu``, a MIG profile; none: no GPUs."""

    runtime_class_name: ObjectName | None = None
    """RuntimeClass of pods on this pool, such as ``nvidia``."""

    hourly_cost: Decimal | None = Field(default=None, ge=0, examples=["0.71"])
    """USD per GPU-hour. From the user's own bill."""

    def gpus(self, count: int) -> ResourceList:
        """The resources that so many GPUs of this pool are: none for a count of 0."""
        return {self.gpu_resource: str(count)} if self.gpu_resource and count else {}


def _named(value: Any, info: ValidationInfo) -> Any:
    """Take the name of one of the stack's node pools for the pool itself."""
    if not isinstance(value, str):
        return value
    if info.context is None:
        raise refuse(f"{value!r} is a name: only a stack's configuration knows pools by name", "pass a NodePool")
    check_reference(value, "node pool", info.context["names"]["node_pools"])
    pools: dict[str, NodePool] = info.context.get("node_pools", {})
    return pools.get(value, _REFUSED)


# Stands for a pool that is itself refused, which is said where it stands: nothing follows from it.
_REFUSED = NodePool(image="refused", gpu_resource="refused/gpu")


NodePoolReference = Annotated[
    NodePool,
    BeforeValidator(_named),
    WithJsonSchema(
        {"type": "string", "description": "The name of one of the stack's node pools.", "examples": ["gpu"]}
    ),
]
