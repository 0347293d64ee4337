"""Node pools: the nodes that a workload runs on.

A workload cannot set the image of its node: it can only select nodes that have it. ``node_image`` is exported for the
stack that creates the nodes.
"""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema, model_validator

from ..base.arguments import Arguments, check_reference
from ..base.error_table import DEVICE_WITHOUT_DOMAIN, MUTUALLY_EXCLUSIVE, REFERENCE_BY_NAME
from ..base.errors import raise_all
from ..base.names import Image, LabelValue, ObjectName, QualifiedName
from ..base.objects import Manifest
from .resources import ResourceList


class Toleration(Arguments):
    """A taint that the workload tolerates, as in a pod's ``tolerations``.

    A change rolls the pods of a service; a job needs a new run.
    """

    key: QualifiedName = Field(examples=["nvidia.com/gpu"])
    """The key of the taint."""

    operator: Literal["Exists", "Equal"] | None = None
    """``Exists`` tolerates any value of the taint, ``Equal`` only ``value``.

    Defaults to ``Equal`` if ``value`` is set, and to ``Exists`` otherwise.
    """

    value: LabelValue | None = None
    """The value of the taint. Mutually exclusive with ``operator: Exists``."""

    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """The effect that is tolerated. Defaults to all effects."""

    @model_validator(mode="after")
    def _one_value_or_any(self) -> "Toleration":
        if self.operator == "Exists" and self.value:
            error = MUTUALLY_EXCLUSIVE(
                argument="operator: Exists",
                other="value",
                reason="Exists tolerates any value",
                fix="set operator: Equal, or remove value",
                value="Equal",
            )
            raise_all("Toleration", [(("operator",), error)])
        return self

    def manifest(self) -> Manifest:
        """The pod's ``tolerations`` entry."""
        operator = self.operator or ("Exists" if self.value is None else "Equal")
        return {**self.model_dump(by_alias=True, exclude_none=True), "operator": operator}


class NodePoolAutoscaling(Arguments):
    """The limits of the autoscaler that adds nodes to a pool, such as the cluster autoscaler or Karpenter.

    A review tries a change on a copy of the cluster, in which the pool grows to the same limit. Nothing is enforced.
    Updatable in place.
    """

    max: int = Field(ge=1, examples=[8])
    """The highest number of nodes of the pool."""

    allocatable: ResourceList = Field(default={}, examples=[{"cpu": "15", "memory": "55Gi", "nvidia.com/gpu": "1"}])
    """The resources of one node that pods can use, as in the status of a Node.

    Defaults to those of an existing node; for a pool that is scaled to zero, to 96 CPU cores, 768Gi of memory and
    8 GPUs.
    """


def _device(name: str) -> str:
    if "/" not in name:
        raise DEVICE_WITHOUT_DOMAIN(resource=name, value=f"nvidia.com/{name}")
    return name


class NodePool(Arguments):
    """A group of identical nodes, and the container image for workloads on them."""

    image: Image | None = Field(default=None, examples=["pytorch/pytorch:2.1.0-cuda12.1-cudnn8-runtime"])
    """The container image of workloads on this pool that set none.

    A change rolls the pods of a service; a job needs a new run.
    """

    node_image: str | None = Field(default=None, examples=["COS_CONTAINERD"])
    """The image of the nodes, as the cloud names it. Exported as ``nodeImages``, not enforced. Updatable in place."""

    node_selector: dict[QualifiedName, LabelValue] = {}
    """Labels that select the nodes of the pool. A change rolls the pods of a service; a job needs a new run."""

    tolerations: list[Toleration] = []
    """Tolerations for the taints of the nodes. A change rolls the pods of a service; a job needs a new run."""

    gpu_resource: Annotated[QualifiedName, AfterValidator(_device)] | None = Field(
        default=None, examples=["nvidia.com/gpu"]
    )
    """The extended resource of the nodes' GPUs: ``nvidia.com/gpu``, ``amd.com/gpu`` or a MIG profile.

    Unset for nodes without GPUs. A change rolls the pods of a service; a job needs a new run.
    """

    runtime_class_name: ObjectName | None = None
    """The RuntimeClass of pods on this pool, such as ``nvidia``.

    A change rolls the pods of a service; a job needs a new run.
    """

    hourly_cost: Decimal | None = Field(default=None, ge=0, examples=["0.71"])
    """The price in USD per GPU and hour, from your own bill. Reviews estimate costs with it. Updatable in place."""

    autoscaling: NodePoolAutoscaling | None = None
    """The limits within which an autoscaler adds nodes. Unset for a pool of a fixed size. Updatable in place."""

    def gpus(self, count: int) -> ResourceList:
        """The resources of that many GPUs of this pool; none if the count is 0."""
        return {self.gpu_resource: str(count)} if self.gpu_resource and count else {}


def _by_name(value: Any, info: ValidationInfo) -> Any:
    """Resolve the name of one of the stack's node pools; any other value unchanged."""
    if not isinstance(value, str):
        return value
    if info.context is None:
        raise REFERENCE_BY_NAME(name=value, type="NodePool")
    check_reference(value, "node pool", info.context["names"]["node_pools"])
    pools: dict[str, NodePool] = info.context.get("node_pools", {})
    return pools.get(value, _INVALID_POOL)


# Stands for a pool that is invalid. Its error is reported at the pool; workloads on it are validated nevertheless.
_INVALID_POOL = NodePool(image="invalid", gpu_resource="invalid/gpu")


NodePoolReference = Annotated[
    NodePool,
    BeforeValidator(_by_name),
    WithJsonSchema(
        {"type": "string", "description": "The name of one of the stack's node pools.", "examples": ["gpu"]}
    ),
]
"""A node pool; in a stack's configuration, its name."""
