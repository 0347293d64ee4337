"""The default and maximum resources of each container of a team, as a LimitRange."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from ..base.arguments import Arguments
from ..base.errors import raise_all, refuse
from ..base.quantities import Quantity, parse_quantity
from ..base.registration import Manifest
from ..pod.resources import is_gpu
from .resource_quota import _COMPUTE, fractions


def _limited(resource: str) -> str:
    if is_gpu(resource):
        raise refuse("GPUs are never given by default, nor limited by container", "set requests.<gpu> in the quota")
    if resource not in _COMPUTE:
        raise refuse("is not a resource that containers are limited in", f"use {', '.join(sorted(_COMPUTE))}")
    return resource


LimitedResources = dict[Annotated[str, AfterValidator(_limited)], Quantity]


class ContainerLimits(Arguments):
    """What each container gets where it says nothing, and the most that it may say.

    In LimitRange's own terms. GPUs never are given by default.
    """

    default_request: LimitedResources = Field(default={}, examples=[{"cpu": "100m", "memory": "256Mi"}])
    """Requests of a container that names none; default: its ``default``."""

    default: LimitedResources = Field(default={}, examples=[{"cpu": "1", "memory": "1Gi"}])
    """Limits of a container that names none; default: its ``max``."""

    max: LimitedResources = Field(default={}, examples=[{"cpu": "32", "memory": "256Gi"}])
    """The highest limit that a container may have."""

    @model_validator(mode="after")
    def _in_order(self) -> "ContainerLimits":
        filled = self.filled()
        steps = [
            ("defaultRequest", filled.default_request, "default", filled.default),
            ("default", filled.default, "max", filled.max),
        ]
        problems = [
            ((lower, resource), refuse(f"{quantity} is above the {upper} of {high[resource]}", value=high[resource]))
            for lower, low, upper, high in steps
            for resource, quantity in low.items()
            if resource in high and parse_quantity(quantity) > parse_quantity(high[resource])
        ]
        for section, resources in (
            ("defaultRequest", self.default_request),
            ("default", self.default),
            ("max", self.max),
        ):
            problems += [((section, resource), error) for resource, error in fractions(resources)]
        raise_all("ContainerLimits", problems)
        return self

    def filled(self) -> "ContainerLimits":
        """With what Kubernetes itself fills in: a default from the maximum, a default request from the default."""
        default = {**self.max, **self.default}
        return self.model_copy(update={"default": default, "default_request": {**default, **self.default_request}})

    def manifest(self, metadata: Manifest) -> Manifest:
        """The LimitRange."""
        filled = self.filled()
        parts = {"defaultRequest": filled.default_request, "default": filled.default, "max": filled.max}
        limits = {"type": "Container", **{name: resources for name, resources in parts.items() if resources}}
        return {"apiVersion": "v1", "kind": "LimitRange", "metadata": metadata, "spec": {"limits": [limits]}}


def default_limits(hard: Mapping[str, str]) -> ContainerLimits:
    """The limits of a team that gives none: enough for a shell, too little to be missed.

    Memory is always limited, since a container without a limit can take its node's. CPU is where
    the quota counts the limits: it would refuse the container otherwise.
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
    """A quantity, or less where a maximum is: a team may have less than the default in all."""
    return min([quantity, *filter(None, maxima)], key=parse_quantity)
