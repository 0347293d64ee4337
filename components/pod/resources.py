"""Resource requests and limits of containers."""

import math
from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ..base.arguments import Arguments
from ..base.error_table import DERIVED, EXCEEDS, QUANTITY_FRACTION, REQUEST_NOT_LIMIT, RESOURCE_UNKNOWN
from ..base.errors import raise_all
from ..base.names import QualifiedName
from ..base.objects import Manifest
from ..base.quantities import Quantity, byte_error, counts_bytes, is_whole, parse_quantity

ResourceList = dict[QualifiedName, Quantity]
"""Quantities by resource name, as in a container's ``resources``."""

_NATIVE = {"cpu", "memory", "ephemeral-storage"}


class Resources(Arguments):
    """The compute resources of one container, with the names that Kubernetes uses.

    GPUs are not set here: the workload's ``gpus`` sets them, as the resource of its node pool.

    A change rolls the pods of a service; a job needs a new run.
    """

    requests: ResourceList = Field(default={}, examples=[{"cpu": "4", "memory": "8Gi"}])
    """The resources that the scheduler reserves: ``cpu`` in cores, ``memory`` and ``ephemeral-storage`` in bytes.

    A request must not exceed its limit. Requests of devices and huge pages must equal it.
    """

    limits: ResourceList = Field(default={}, examples=[{"cpu": "8", "memory": "16Gi"}])
    """The most that the container may use: CPU above it is throttled, memory above it is OOMKilled."""

    @model_validator(mode="after")
    def _consistent(self) -> "Resources":
        problems = []
        for section, resources in (("requests", self.requests), ("limits", self.limits)):
            for name, quantity in resources.items():
                error = _name_error(name) or _quantity_error(name, quantity)
                if error is None and section == "requests":
                    error = _request_error(name, quantity, self.limits.get(name))
                if error is not None:
                    problems.append(((section, name), error))
        raise_all("Resources", problems)
        return self

    def manifest(self, gpus: ResourceList | None = None) -> Manifest:
        """The container's ``resources``. GPUs are added to both requests and limits."""
        gpus = gpus or {}
        both = {"requests": {**self.requests, **gpus}, "limits": {**self.limits, **gpus}}
        return {section: resources for section, resources in both.items() if resources}


def _name_error(name: str) -> PydanticCustomError | None:
    """The error of an invalid resource name."""
    if is_gpu(name):
        return DERIVED(source="gpus")
    if "/" not in name and name not in _NATIVE and not name.startswith("hugepages-"):
        choices = "cpu, memory, ephemeral-storage, hugepages-<size>, or the <domain>/<name> of a device"
        return RESOURCE_UNKNOWN(resource=name, of="a container", choices=choices)
    return None


def _quantity_error(name: str, quantity: Quantity) -> PydanticCustomError | None:
    """The error of a quantity that is invalid for its resource."""
    if counts_bytes(name):
        return byte_error(quantity)
    if "/" in name and not is_whole(quantity):
        value = str(math.ceil(parse_quantity(quantity)))
        return QUANTITY_FRACTION(quantity=quantity, unit="devices", fix="", value=value)
    return None


def _request_error(name: str, request: Quantity, limit: Quantity | None) -> PydanticCustomError | None:
    """The error of a request that is inconsistent with its limit."""
    if _cannot_be_overcommitted(name) and (limit is None or parse_quantity(request) != parse_quantity(limit)):
        return REQUEST_NOT_LIMIT(resource=name, request=request, value=limit)
    if limit is not None and parse_quantity(request) > parse_quantity(limit):
        return EXCEEDS(given=request, bound=f"limits.{name}", limit=limit, value=limit)
    return None


def _cannot_be_overcommitted(name: str) -> bool:
    """Whether a resource is exclusive to its container: a device, or huge pages."""
    return "/" in name or name.startswith("hugepages-")


def is_gpu(resource: str) -> bool:
    """Whether an extended resource is a GPU or a part of one (``nvidia.com/mig-1g.10gb``)."""
    _, _, name = resource.partition("/")
    return name in {"gpu", "gpu.shared"} or name.startswith("mig-")


GpuCount = Annotated[int, Field(ge=0, le=64, strict=True)]
"""A number of GPUs per pod."""
