"""The default and maximum resources of the containers of a team, as a LimitRange."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from ..base.arguments import Arguments
from ..base.error_table import EXCEEDS, GPU_DEFAULT, RESOURCE_UNKNOWN
from ..base.errors import raise_all
from ..base.objects import Manifest
from ..base.quantities import Quantity, parse_quantity
from ..pod.resources import is_gpu
from .resource_quota import COMPUTE, fraction_errors


def _limited(resource: str) -> str:
    if is_gpu(resource):
        raise GPU_DEFAULT(resource=resource)
    if resource not in COMPUTE:
        raise RESOURCE_UNKNOWN(resource=resource, of="a LimitRange", choices=sorted(COMPUTE))
    return resource


LimitedResources = dict[Annotated[str, AfterValidator(_limited)], Quantity]


class ContainerLimits(Arguments):
    """The default and maximum resources of each container, with the names of a LimitRange.

    GPUs have neither. Applies to new pods. Updatable in place.
    """

    default_request: LimitedResources = Field(default={}, examples=[{"cpu": "100m", "memory": "256Mi"}])
    """The requests of a container that sets none. Defaults to ``default``."""

    default: LimitedResources = Field(default={}, examples=[{"cpu": "1", "memory": "1Gi"}])
    """The limits of a container that sets none. Defaults to ``max``."""

    max: LimitedResources = Field(default={}, examples=[{"cpu": "32", "memory": "256Gi"}])
    """The highest limit that a container may set."""

    @model_validator(mode="after")
    def _in_order(self) -> "ContainerLimits":
        filled = self.filled()
        steps = [
            ("defaultRequest", filled.default_request, "default", filled.default),
            ("default", filled.default, "max", filled.max),
        ]
        problems = [
            (
                (lower, resource),
                EXCEEDS(given=quantity, bound=f"{upper}.{resource}", limit=high[resource], value=high[resource]),
            )
            for lower, low, upper, high in steps
            for resource, quantity in low.items()
            if resource in high and parse_quantity(quantity) > parse_quantity(high[resource])
        ]
        for section, resources in (
            ("defaultRequest", self.default_request),
            ("default", self.default),
            ("max", self.max),
        ):
            problems += [((section, resource), error) for resource, error in fraction_errors(resources)]
        raise_all("ContainerLimits", problems)
        return self

    def filled(self) -> "ContainerLimits":
        """The limits with the defaults of Kubernetes: ``default`` from ``max``, requests from ``default``."""
        default = {**self.max, **self.default}
        return self.model_copy(update={"default": default, "default_request": {**default, **self.default_request}})

    def manifest(self, metadata: Manifest) -> Manifest:
        """The LimitRange."""
        filled = self.filled()
        parts = {"defaultRequest": filled.default_request, "default": filled.default, "max": filled.max}
        limits = {"type": "Container", **{name: resources for name, resources in parts.items() if resources}}
        return {"apiVersion": "v1", "kind": "LimitRange", "metadata": metadata, "spec": {"limits": [limits]}}


def default_limits(hard: Mapping[str, str]) -> ContainerLimits:
    """The limits of a team that sets none: enough for a shell, and small enough that a workload has to set its own.

    Memory is always limited, since a container without a limit could use all of its node's. CPU is limited if the quota
    counts CPU limits, since it would reject the container otherwise.
    """
    default = {"memory": _at_most("1Gi", hard.get("limits.memory"))}
    if "limits.cpu" in hard:
        default["cpu"] = _at_most("1", hard["limits.cpu"])
    request = {
        name: _at_most(quantity, hard.get(name), hard.get(f"requests.{name}"), default.get(name))
        for name, quantity in (("cpu", "100m"), ("memory", "256Mi"))
    }
    return ContainerLimits(default_request=request, default=default)


def _at_most(quantity: str, *maxima: str | None) -> str:
    """The least of a quantity and the maxima that are set: a quota may be smaller than the default."""
    return min([quantity, *filter(None, maxima)], key=parse_quantity)
