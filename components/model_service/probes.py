"""How Kubernetes asks a container whether it is up."""

import math
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ..base.arguments import Arguments, check_exactly_one
from ..base.errors import refuse
from ..base.names import Port
from ..base.registration import Manifest

Seconds = Annotated[int, Field(ge=0, strict=True)]
Count = Annotated[int, Field(ge=1, strict=True)]

_KINDS = ("path", "tcp", "grpc", "command")


class Probe(Arguments):
    """One probe, in Kubernetes' own terms. How it asks is one of path, tcp, grpc and command."""

    path: Annotated[str, Field(pattern="^/")] | None = Field(default=None, examples=["/health"])
    """By HTTP: the path of a GET that answers 200 to 399."""

    tcp: bool = False
    """By TCP: the port accepts a connection."""

    grpc: bool = False
    """By the gRPC health protocol."""

    command: list[str] = []
    """By a command in the container that exits 0."""

    port: Port | None = None
    """The port that is asked; default: the service's container port."""

    initial_delay_seconds: Seconds = 0
    """Seconds after the container's start before the first time."""

    period_seconds: Count = 10
    """Seconds from one time to the next."""

    timeout_seconds: Count = 1
    """Seconds after which an answer counts as a failure."""

    failure_threshold: Count = 3
    """Failures in a row that count. Of the startup probe, ``startup_budget_seconds`` decides."""

    @model_validator(mode="after")
    def _one_kind(self) -> "Probe":
        given = [kind for kind in _KINDS if getattr(self, kind)]
        check_exactly_one(given, _KINDS)
        return self

    def manifest(self, port: int) -> Manifest:
        """The container's probe."""
        port = self.port or port
        if self.path is not None:
            action: Manifest = {"httpGet": {"path": self.path, "port": port}}
        elif self.tcp:
            action = {"tcpSocket": {"port": port}}
        elif self.grpc:
            action = {"grpc": {"port": port}}
        else:
            action = {"exec": {"command": self.command}}
        return {
            **action,
            **({"initialDelaySeconds": self.initial_delay_seconds} if self.initial_delay_seconds else {}),
            "periodSeconds": self.period_seconds,
            "timeoutSeconds": self.timeout_seconds,
            "failureThreshold": self.failure_threshold,
        }


class Health(Arguments):
    """The probes of a model server."""

    readiness: Probe = Probe(path="/health")
    """Whether the pod gets requests. Default: GET /health, where vLLM and many other servers answer."""

    liveness: Probe | None = None
    """Whether the container is alive; it is restarted where not. Default: none."""

    startup: Probe | None = None
    """Whether the model has loaded: until then the other probes wait. Default: asks what readiness asks.

    It may fail for the whole of ``startup_budget_seconds``; within one more period the container is restarted.
    """

    def probes(self) -> Iterator[tuple[str, Probe]]:
        """The probes that are set, by name."""
        for kind in ("readiness", "liveness", "startup"):
            if getattr(self, kind) is not None:
                yield kind, getattr(self, kind)

    def problems(self, budget: int, ports: set[int]) -> Iterator[tuple[list[str], PydanticCustomError]]:
        """What cannot work with a startup budget (seconds) and the ports that the container opens."""
        for kind, probe in self.probes():
            if probe.port is not None and probe.port not in ports:
                value = min(ports)
                yield [kind, "port"], refuse(f"no container listens on {probe.port}", "remove it", value)
            if probe.initial_delay_seconds >= budget:
                what = f"{probe.initial_delay_seconds} leaves nothing of the startup budget of {budget} seconds"
                yield (
                    [kind, "initialDelaySeconds"],
                    refuse(what, "lower it, or raise startupBudgetSeconds", budget // 2),
                )
        if self.startup is not None and "failure_threshold" in self.startup.model_fields_set:
            fix = "remove it and set startupBudgetSeconds, in seconds"
            yield ["startup", "failureThreshold"], refuse("follows from the startup budget", fix)

    def manifest(self, port: int, budget: int) -> Manifest:
        """The container's probes. ``budget`` is how long (seconds) the model may load."""
        startup = self.startup or self.readiness
        # The first probe may come as soon as the container has started: of n failures in a row the last
        # comes n - 1 periods later, and it is the one that kills.
        tries = math.ceil((budget - startup.initial_delay_seconds) / startup.period_seconds) + 1
        return {
            **{f"{kind}Probe": probe.manifest(port) for kind, probe in self.probes()},
            "startupProbe": {**startup.manifest(port), "failureThreshold": tries},
        }
