"""Metrics of a model server, and the Prometheus operator's monitor that scrapes them."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from ..base.arguments import Arguments
from ..base.names import Port
from ..base.objects import Manifest


class Metrics(Arguments):
    """Where the server exposes its metrics, and what scrapes them. Updatable in place."""

    port: Port | None = Field(default=None, examples=[9090])
    """The container port that serves the metrics. Defaults to the service's ``port``. A change rolls the pods."""

    path: Annotated[str, Field(pattern="^/")] = "/metrics"
    """Path of the HTTP GET request, which returns the metrics in Prometheus' format."""

    monitor: Literal["service", "pod"] | None = None
    """Creates a ServiceMonitor or a PodMonitor. The Prometheus operator must be installed in the cluster."""

    interval_seconds: Annotated[int, Field(ge=1, strict=True)] = 30
    """Seconds between two scrapes. The default is that of the Prometheus operator."""


def monitor(metadata: Manifest, metrics: Metrics, selector: Mapping[str, Any], port: str) -> Manifest:
    """The ServiceMonitor or PodMonitor for a selector. ``port`` is the name of the container port."""
    endpoint = {"path": metrics.path, "interval": f"{metrics.interval_seconds}s"}
    spec: Manifest = {"selector": {"matchLabels": dict(selector)}}
    if metrics.monitor == "service":
        # The container port, which need not be a port of the Service, where clients could reach it.
        spec["endpoints"] = [{"targetPort": port, **endpoint}]
    else:
        spec["podMetricsEndpoints"] = [{"port": port, **endpoint}]
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor" if metrics.monitor == "service" else "PodMonitor",
        "metadata": metadata,
        "spec": spec,
    }
