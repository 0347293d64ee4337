"""The readiness, liveness and startup probes of a model server."""

import math
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ..base.arguments import Arguments, check_exactly_one
from ..base.error_table import BUDGET_EXHAUSTED, DERIVED, PORT_NOT_OPEN
from ..base.names import Port
from ..base.objects import Manifest

_NonNegative = Annotated[int, Field(ge=0, strict=True)]
_Positive = Annotated[int, Field(ge=1, strict=True)]

_HANDLERS = ("path", "tcp", "grpc", "command")


class Probe(Arguments):
    """A probe, by exactly one of ``path``, ``tcp``, ``grpc`` and ``command``. A change rolls the pods."""

    path: Annotated[str, Field(pattern="^/")] | None = Field(default=None, examples=["/health"])
    """HTTP: path of a GET request that succeeds with a status from 200 to 399."""

    tcp: bool = False
    """TCP: the port accepts a connection."""

    grpc: bool = False
    """gRPC: the health checking protocol."""

    command: list[str] = []
    """A command in the container that exits with 0."""

    port: Port | None = None
    """The port to probe. It must be a container port. Defaults to the service's ``port``."""

    initial_delay_seconds: _NonNegative = 0
    """Seconds from the start of the container to the first probe. It must be less than ``startup_budget_seconds``."""

    period_seconds: _Positive = 10
    """Seconds between two probes."""

    timeout_seconds: _Positive = 1
    """Seconds after which a probe without an answer has failed."""

    failure_threshold: _Positive = 3
    """Number of consecutive failures after which the probe has failed.

    That of the startup probe is derived from ``startup_budget_seconds`` and must not be set.
    """

    @model_validator(mode="after")
    def _check_handler(self) -> "Probe":
        check_exactly_one([handler for handler in _HANDLERS if getattr(self, handler)], _HANDLERS)
        return self

    def manifest(self, port: int) -> Manifest:
        """The container's probe. ``port`` is the default port."""
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
    """The probes of a model server. A change rolls the pods."""

    readiness: Probe = Probe(path="/health")
    """Whether the pod receives requests. The default is the path of vLLM and many other servers."""

    liveness: Probe | None = None
    """Whether the container is alive; when it fails, the container is restarted."""

    startup: Probe | None = None
    """Whether the model has loaded; the other probes start after it has succeeded. Defaults to readiness.

    It can fail for ``startup_budget_seconds``; the container is restarted within one more period.
    """

    def probes(self) -> Iterator[tuple[str, Probe]]:
        """The probes that are set, by name."""
        for kind in ("readiness", "liveness", "startup"):
            if getattr(self, kind) is not None:
                yield kind, getattr(self, kind)

    def problems(self, budget: int, ports: set[int]) -> Iterator[tuple[list[str], PydanticCustomError]]:
        """Conflicts with the startup budget (seconds) and the container ports."""
        for kind, probe in self.probes():
            if probe.port is not None and probe.port not in ports:
                error = PORT_NOT_OPEN(port=probe.port, open=" or ".join(map(str, sorted(ports))), value=min(ports))
                yield [kind, "port"], error
            if probe.initial_delay_seconds >= budget:
                error = BUDGET_EXHAUSTED(seconds=probe.initial_delay_seconds, budget=budget, value=budget // 2)
                yield [kind, "initialDelaySeconds"], error
        if self.startup is not None and "failure_threshold" in self.startup.model_fields_set:
            yield ["startup", "failureThreshold"], DERIVED(source="startupBudgetSeconds")

    def manifest(self, port: int, budget: int) -> Manifest:
        """The container's probes. ``budget`` is the number of seconds within which the model must load."""
        startup = self.startup or self.readiness
        # The first probe can be as early as the start of the container. The n-th consecutive failure, which
        # restarts the container, is n - 1 periods later.
        threshold = math.ceil((budget - startup.initial_delay_seconds) / startup.period_seconds) + 1
        return {
            **{f"{kind}Probe": probe.manifest(port) for kind, probe in self.probes()},
            "startupProbe": {**startup.manifest(port), "failureThreshold": threshold},
        }
