"""Autoscaling of a ModelService: a HorizontalPodAutoscaler, or KEDA's ScaledObject, which can scale to zero."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from ..base.arguments import Arguments, Deferred
from ..base.error_table import EXACTLY_ONE, EXCEEDS, REQUIRES
from ..base.errors import raise_all
from ..base.names import INT32, MetricName, ObjectName, as_text
from ..base.objects import Manifest
from ..base.quantities import PositiveQuantity

_SCALERS = ("cpu", "metric", "keda")


class Metric(Arguments):
    """A metric of the pods, from the cluster's metrics adapter. Updatable in place."""

    name: MetricName = Field(examples=["vllm:num_requests_waiting"])
    """Name of the metric."""

    target: PositiveQuantity = Field(examples=["5"])
    """Target value of the average over the pods."""


class KedaTrigger(Arguments):
    """A trigger of KEDA, which must be installed in the cluster. Updatable in place."""

    type: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")] = Field(examples=["prometheus"])
    """The scaler, such as prometheus, kafka or cron."""

    metadata: dict[str, Annotated[Deferred[str], BeforeValidator(as_text)]] = Field(
        examples=[{"serverAddress": "http://prometheus:9090", "threshold": "5"}]
    )
    """The scaler's own parameters. Never a secret: use ``authentication`` for those."""

    authentication: ObjectName | None = None
    """A TriggerAuthentication in the namespace that has the credentials."""


class Autoscale(Arguments):
    """Scales the number of pods by exactly one of ``cpu``, ``metric`` and ``keda``. Updatable in place."""

    min: Annotated[int, Field(ge=0, strict=True), INT32] = Field(default=1, examples=[2])
    """Minimum number of pods. 0 requires ``keda``, since a HorizontalPodAutoscaler keeps at least one."""

    max: Annotated[int, Field(ge=1, strict=True), INT32] = Field(examples=[6])
    """Maximum number of pods."""

    cpu: Annotated[int, Field(ge=1, strict=True), INT32] | None = Field(default=None, examples=[70])
    """Target average CPU utilization, in percent of the pods' requests. Requires ``resources.requests.cpu``."""

    metric: Metric | None = None
    """A metric of the pods, such as queued requests. The load of a GPU does not show in CPU utilization."""

    keda: KedaTrigger | None = None
    """A trigger of KEDA."""

    @model_validator(mode="after")
    def _check_bounds(self) -> "Autoscale":
        raise_all("Autoscale", self._problems())
        return self

    def _problems(self) -> Iterator[Any]:
        given = [scaler for scaler in _SCALERS if getattr(self, scaler) is not None]
        if len(given) != 1:
            yield (), EXACTLY_ONE(options=_SCALERS, given=given)
        if self.min > self.max:
            yield ("min",), EXCEEDS(given=self.min, bound="max", limit=self.max, value=self.max)
        if self.min == 0 and self.keda is None:
            yield ("min",), REQUIRES(requirement="keda", argument="min: 0", value=1)


def autoscaler(name: str, metadata: Manifest, autoscale: Autoscale) -> Manifest:
    """The object that scales the Deployment of this name."""
    return (
        _scaled_object(name, metadata, autoscale, autoscale.keda) if autoscale.keda else _hpa(name, metadata, autoscale)
    )


def _hpa(name: str, metadata: Manifest, autoscale: Autoscale) -> Manifest:
    if autoscale.metric is not None:
        target: Manifest = {"type": "AverageValue", "averageValue": autoscale.metric.target}
        source: Manifest = {"type": "Pods", "pods": {"metric": {"name": autoscale.metric.name}, "target": target}}
    else:
        target = {"type": "Utilization", "averageUtilization": autoscale.cpu}
        source = {"type": "Resource", "resource": {"name": "cpu", "target": target}}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": metadata,
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": autoscale.min,
            "maxReplicas": autoscale.max,
            "metrics": [source],
        },
    }


def _scaled_object(name: str, metadata: Manifest, autoscale: Autoscale, trigger: KedaTrigger) -> Manifest:
    authentication = {"authenticationRef": {"name": trigger.authentication}} if trigger.authentication else {}
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": metadata,
        "spec": {
            "scaleTargetRef": {"name": name},
            "minReplicaCount": autoscale.min,
            "maxReplicaCount": autoscale.max,
            "triggers": [{"type": trigger.type, "metadata": trigger.metadata, **authentication}],
        },
    }
