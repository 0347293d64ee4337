"""Metrics of a model server, for Prometheus to scrape."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from ..base.arguments import Arguments
from ..base.names import Port
from ..base.objects import Manifest


class Metrics(Arguments):
    """Where the server tells its metrics, and who is told to scrape them."""

    port: Port | None = Field(default=None, examples=[9090])
    """The port that the container serves them on; default: the service's container port."""

    path: Annotated[str, Field(pattern="^/")] = "/metrics"
    """The path of a GET that answers in Prometheus' format."""

    monitor: Literal["service", "pod"] | None = None
    """A ServiceMonitor or a PodMonitor; the Prometheus operator has to be installed. Default: neither."""

    interval_seconds: Annotated[int, Field(ge=1, strict=True)] = 30
    """Seconds from one scrape to the next. Default: what the Prometheus operator itself takes."""


def monitor(metadata: Manifest, metrics: Metrics, selector: Mapping[str, Any], port: str) -> Manifest:
    """The ServiceMonitor or PodMonitor of what a selector finds; ``port`` is the name of the container's port."""
    endpoint = {"path": metrics.path, "interval": f"{metrics.interval_seconds}s"}
    spec: Manifest = {"selector": {"matchLabels": dict(selector)}}
    if metrics.monitor == "service":
        # The container's port, which need not be one of the Service's and open to its clients.
        spec["endpoints"] = [{"targetPort": port, **endpoint}]
    else:
        spec["podMetricsEndpoints"] = [{"port": port, **endpoint}]
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor" if metrics.monitor == "service" else "PodMonitor",
        "metadata": metadata,
        "spec": spec,
    }
