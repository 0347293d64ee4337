"""A new version beside the old one, for a part of the requests.

With a route of a Gateway the weight holds for requests: each version has a Service of its own.
Without one it holds for pods: the one Service reaches the pods of both versions, and so would an
autoscaler, which takes for a Deployment's pods all that its selector matches. (A Deployment takes its
own only, and a PodDisruptionBudget is meant to count both.)

To promote a canary, make its image and version the service's own and remove the canary.
"""

import math
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field
from pydantic_core import PydanticCustomError

from ..base.arguments import Arguments
from ..base.errors import refuse
from ..base.labels import Labels
from ..base.names import DeferredImage, LabelValue

_SUFFIX = "-canary"

# Of a Service's name and of a label's value.
_LONGEST = 63


class Canary(Arguments):
    """A second Deployment that serves a part of the requests with a version of its own."""

    image: DeferredImage = Field(examples=["myregistry/bert-serving:v1.3"])
    """Its container image."""

    version: LabelValue | None = Field(default=None, examples=["v1.3"])
    """Its ``model-version`` label."""

    weight: Annotated[int, Field(ge=0, le=100, strict=True)] = Field(examples=[10])
    """Its part of the requests, in percent.

    Without a route, as near to it as whole pods come: 10 beside three pods is one pod of four.
    """

    def problems(self, *, routed: bool, scaled: bool) -> Iterator[tuple[list[str], PydanticCustomError]]:
        """What cannot work without a route, where that is missing; ``scaled``: by an autoscaler."""
        if routed:
            return
        if not 1 <= self.weight <= 99:
            what = f"{self.weight} takes a route: without one, pods of both versions serve"
            yield ["canary", "weight"], refuse(what, "set route, or a weight from 1 to 99", 10)
        if scaled:
            what = "without a route, the autoscaler counts its pods as those of the stable version"
            yield ["canary"], refuse(what, "set route, or replicas in place of autoscale")


def name(of: str) -> str:
    """The name of a canary's object, or its ``app`` label, beside that of the stable version."""
    return f"{of}{_SUFFIX}"


def fits(of: str, path: list[str]) -> Iterator[tuple[list[str], PydanticCustomError]]:
    """The problem of a name at a path that leaves no room for that of the canary."""
    if len(name(of)) > _LONGEST:
        what = f"{name(of)!r}, for the canary, is longer than the {_LONGEST} characters that Kubernetes allows"
        yield path, refuse(what, "shorten it, or remove the canary")


def pods(canary: Canary, stable: int, *, routed: bool) -> int:
    """How many pods the canary has beside those of the stable version, which keeps all of its own."""
    if routed:
        return max(1, math.ceil(stable * canary.weight / 100))
    return max(1, round(stable * canary.weight / (100 - canary.weight)))


def labels(stable: Labels, version: Labels, *, routed: bool) -> Labels:
    """The labels of the canary's objects and pods.

    Where a route divides the requests, the Service of the stable version must not reach these pods.
    """
    app = name(stable["app"]) if routed else stable["app"]
    return {**stable, **version, "app": app, "track": "canary"}


def selector(labels: Labels) -> dict[str, Any]:
    """What selects the canary's pods, among those of both versions where they share the ``app`` label."""
    return {"app": labels["app"], "track": labels["track"]}
