"""What a container asks for and may use, and what a pod made of containers costs a quota."""

import math
from typing import Annotated, Any

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ..base.arguments import Arguments
from ..base.errors import raise_all, refuse
from ..base.names import QualifiedName
from ..base.quantities import Quantity, counts_bytes, is_whole, not_bytes, parse_quantity

ResourceList = dict[QualifiedName, Quantity]

_NATIVE = {"cpu", "memory", "ephemeral-storage"}


class Resources(Arguments):
    """The compute resources of one container, in Kubernetes' own terms.

    GPUs are not named here: a workload's ``gpus`` counts them in its node pool's own resource.
    """

    requests: ResourceList = Field(default={}, examples=[{"cpu": "4", "memory": "8Gi"}])
    """What the scheduler sets aside: ``cpu`` (cores), ``memory`` and ``ephemeral-storage`` (bytes)."""

    limits: ResourceList = Field(default={}, examples=[{"cpu": "8", "memory": "16Gi"}])
    """The most that the container may use: above it, CPU is throttled and memory is killed (OOMKilled)."""

    @model_validator(mode="after")
    def _consistent(self) -> "Resources":
        problems = []
        for section, resources in (("requests", self.requests), ("limits", self.limits)):
            for name, quantity in resources.items():
                error = _misnamed(name) or _miscounted(name, quantity)
                if error is None and section == "requests":
                    error = _beside_limit(name, quantity, self.limits.get(name))
                if error is not None:
                    problems.append(((section, name), error))
        raise_all("Resources", problems)
        return self

    def manifest(self, gpus: ResourceList | None = None) -> dict[str, Any]:
        """The container's ``resources``; GPUs are added to requests and limits alike."""
        gpus = gpus or {}
        both = {"requests": {**self.requests, **gpus}, "limits": {**self.limits, **gpus}}
        return {section: resources for section, resources in both.items() if resources}


def _misnamed(name: str) -> PydanticCustomError | None:
    """What is wrong with the name of a resource."""
    if is_gpu(name):
        return refuse("GPUs are counted by the workload's gpus", f"remove {name} here and set gpus")
    if "/" not in name and name not in _NATIVE and not name.startswith("hugepages-"):
        fix = "use cpu, memory, ephemeral-storage, hugepages-<size> or a device plugin's domain/name"
        return refuse("is not a resource of a container", fix)
    return None


def _miscounted(name: str, quantity: Quantity) -> PydanticCustomError | None:
    """What is wrong with a quantity of a resource."""
    if counts_bytes(name):
        return not_bytes(quantity)
    if "/" in name and not is_whole(quantity):
        return refuse(f"counts devices: {quantity} is not a whole number", value=math.ceil(parse_quantity(quantity)))
    return None


def _beside_limit(name: str, request: Quantity, limit: Quantity | None) -> PydanticCustomError | None:
    """What is wrong with a request beside its limit."""
    if _is_undivided(name) and (limit is None or parse_quantity(request) != parse_quantity(limit)):
        fix = f"set limits.{name} to {request}, or give the limit alone"
        return refuse("Kubernetes gives all of it or nothing: the request has to equal the limit", fix)
    if limit is not None and parse_quantity(request) > parse_quantity(limit):
        fix = "raise the limit or lower the request: Kubernetes refuses a request above its limit"
        return refuse(f"{request} is above the limit of {limit}", fix, value=limit)
    return None


def _is_undivided(name: str) -> bool:
    """Whether a container has a resource to itself: a device, or huge pages."""
    return "/" in name or name.startswith("hugepages-")


def is_gpu(resource: str) -> bool:
    """Whether an extended resource is a GPU or a part of one (``nvidia.com/mig-1g.10gb``)."""
    _, _, name = resource.partition("/")
    return name in {"gpu", "gpu.shared"} or name.startswith("mig-")


GpuCount = Annotated[int, Field(ge=0, le=64, strict=True)]
