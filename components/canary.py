"""A new version beside the old one, for a part of the requests.

With a route of a Gateway the weight holds for requests: each version has a Service of its own.
Without one it holds for pods: the one Service reaches the pods of both versions.

To promote a canary, make its image and version the service's own and remove the canary.
"""

import math
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field
from pydantic_core import PydanticCustomError

from .arguments import Arguments, refuse
from .labels import Labels
from .names import DeferredImage, LabelValue


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

    def problems(self, *, routed: bool) -> Iterator[tuple[list[str], PydanticCustomError]]:
        """What cannot work without a route, where that is missing."""
        if not routed and not 1 <= self.weight <= 99:
            what = f"{self.weight} takes a route: without one, pods of both versions serve"
            yield ["canary", "weight"], refuse(what, "set route, or a weight from 1 to 99", 10)


def pods(canary: Canary, stable: int, *, routed: bool) -> int:
    """How many pods the canary has beside those of the stable version, which keeps all of its own."""
    if routed:
        return max(1, math.ceil(stable * canary.weight / 100))
    return max(1, round(stable * canary.weight / (100 - canary.weight)))


def labels(stable: Labels, version: Labels, *, routed: bool) -> Labels:
    """The labels of the canary's objects and pods.

    Where a route divides the requests, the Service of the stable version must not reach these pods.
    """
    app = f"{stable['app']}-canary" if routed else stable["app"]
    return {**stable, **version, "app": app, "track": "canary"}


def selector(labels: Labels) -> dict[str, Any]:
    """What selects the canary's pods, among those of both versions where they share the ``app`` label."""
    return {"app": labels["app"], "track": labels["track"]}
