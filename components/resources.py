"""What a container asks for and may use, and what a pod made of containers costs a quota."""

from typing import Annotated, Any

from pydantic import Field, model_validator

from .arguments import Arguments, refuse, refuse_all
from .names import QualifiedName
from .quantities import Quantity, amount

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
        for name, request in self.requests.items():
            limit = self.limits.get(name)
            if limit is not None and amount(request) > amount(limit):
                mend = "raise the limit or lower the request: Kubernetes refuses a request above its limit"
                error = refuse(f"{request} is above the limit of {limit}", mend, value=limit)
                problems.append((("requests", name), error))
        for section, resources in (("requests", self.requests), ("limits", self.limits)):
            for name in resources:
                if is_gpu(name):
                    error = refuse("GPUs are counted by the workload's gpus", f"remove {name} here and set gpus")
                    problems.append(((section, name), error))
                elif "/" not in name and name not in _NATIVE and not name.startswith("hugepages-"):
                    mend = "use cpu, memory, ephemeral-storage, hugepages-<size> or a device plugin's domain/name"
                    problems.append(((section, name), refuse("is not a resource of a container", mend)))
        refuse_all("Resources", problems)
        return self

    def manifest(self, gpus: ResourceList | None = None) -> dict[str, Any]:
        """The container's ``resources``; GPUs are added to requests and limits alike."""
        gpus = gpus or {}
        both = {"requests": {**self.requests, **gpus}, "limits": {**self.limits, **gpus}}
        return {section: resources for section, resources in both.items() if resources}


def is_gpu(resource: str) -> bool:
    """Whether an extended resource is a GPU or a part of one (``nvidia.com/mig-1g.10gb``)."""
    _, _, name = resource.partition("/")
    return name in {"gpu", "gpu.shared"} or name.startswith("mig-")


GpuCount = Annotated[int, Field(ge=0, le=64, strict=True)]
