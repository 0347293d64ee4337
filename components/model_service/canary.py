"""The canary: a second version beside the stable one, for part of the requests.

With a route from a Gateway, the weight applies to requests: each version has its own Service. Without
one, the weight applies to pods: the one Service selects the pods of both versions, and so would an
autoscaler, which counts all pods that match the Deployment's selector. (A Deployment itself counts only
the pods that it owns, and the PodDisruptionBudget is meant to cover both versions.)

To promote a canary, set the service's image and version to those of the canary, and remove the canary.
"""

import math
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field
from pydantic_core import PydanticCustomError

from ..base.arguments import Arguments
from ..base.error_table import CANARY_NAME_TOO_LONG, MUTUALLY_EXCLUSIVE, OUT_OF_RANGE
from ..base.labels import Labels
from ..base.names import DeferredImage, LabelValue

_SUFFIX = "-canary"

# The limit for the name of a Service and for the value of a label.
_MAX_LENGTH = 63


class Canary(Arguments):
    """A second Deployment, whose version serves part of the requests.

    Its pods are its own: those of the stable version are unaffected. A change rolls the pods.
    """

    image: DeferredImage = Field(examples=["myregistry/bert-serving:v1.3"])
    """Container image of the canary."""

    version: LabelValue | None = Field(default=None, examples=["v1.3"])
    """The canary's ``model-version`` label."""

    weight: Annotated[int, Field(ge=0, le=100, strict=True)] = Field(examples=[10])
    """The canary's share of the requests, in percent.

    Without a route it is approximated by whole pods, and must be from 1 to 99: 10 beside three pods is
    one pod of four. Updatable in place.
    """

    def problems(self, *, routed: bool, scaled: bool) -> Iterator[tuple[list[str], PydanticCustomError]]:
        """Arguments that require a route. ``routed``: there is one. ``scaled``: there is an autoscaler."""
        if routed:
            return
        if not 1 <= self.weight <= 99:
            bound = "from 1 to 99 without a route, where pods of both versions serve"
            yield ["canary", "weight"], OUT_OF_RANGE(bound=bound, got=f" (got {self.weight})", value=10)
        if scaled:
            error = MUTUALLY_EXCLUSIVE(
                argument="canary",
                other="autoscale",
                reason="without a route, the autoscaler counts the canary's pods as those of the stable version",
                fix="set route, or replicas instead of autoscale",
            )
            yield ["canary"], error


def canary_name(stable: str) -> str:
    """The name of a canary's object, or its ``app`` label, from that of the stable version."""
    return f"{stable}{_SUFFIX}"


def canary_name_problems(stable: str, path: list[str]) -> Iterator[tuple[list[str], PydanticCustomError]]:
    """The problem of a name at a path if that of the canary would be too long."""
    if len(canary_name(stable)) > _MAX_LENGTH:
        yield path, CANARY_NAME_TOO_LONG(name=canary_name(stable), limit=_MAX_LENGTH)


def canary_replicas(canary: Canary, stable: int, *, routed: bool) -> int:
    """The number of the canary's pods beside ``stable`` pods of the stable version, which keeps all of them."""
    if routed:
        return max(1, math.ceil(stable * canary.weight / 100))
    return max(1, round(stable * canary.weight / (100 - canary.weight)))


def canary_labels(stable: Labels, *, routed: bool) -> Labels:
    """The labels of the canary's objects and pods, from those of the stable version.

    With a route, the Service of the stable version must not select the canary's pods.
    """
    app = canary_name(stable["app"]) if routed else stable["app"]
    return {**stable, "app": app, "track": "canary"}


def canary_selector(labels: Labels) -> dict[str, Any]:
    """The selector of the canary's pods, which may share the ``app`` label with those of the stable version."""
    return {"app": labels["app"], "track": labels["track"]}
