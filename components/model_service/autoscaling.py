"""How many pods serve: by a HorizontalPodAutoscaler, or by KEDA down to none."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from ..base.arguments import Arguments, Deferred
from ..base.errors import raise_all, refuse
from ..base.names import INT32, MetricName, ObjectName, as_text
from ..base.quantities import Positive
from ..base.registration import Manifest


class Metric(Arguments):
    """A metric of the pods that the cluster's metrics adapter serves."""

    name: MetricName = Field(examples=["vllm:num_requests_waiting"])
    """Its name."""

    target: Positive = Field(examples=["5"])
    """The value that the average of the pods is held at."""


class KedaTrigger(Arguments):
    """What KEDA scales by. KEDA has to be installed in the cluster."""

    type: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")] = Field(examples=["prometheus"])
    """The scaler: prometheus, kafka, cron, ..."""

    metadata: dict[str, Annotated[Deferred[str], BeforeValidator(as_text)]] = Field(
        examples=[{"serverAddress": "http://prometheus:9090", "threshold": "5"}]
    )
    """The scaler's own parameters. Never a secret: see ``authentication``."""

    authentication: ObjectName | None = None
    """A TriggerAuthentication of the namespace that holds the credentials."""


class Autoscale(Arguments):
    """Lets the number of pods follow the load, by one of cpu, metric and keda."""

    min: Annotated[int, Field(ge=0, strict=True), INT32] = Field(default=1, examples=[2])
    """The fewest pods. 0 needs ``keda``: a HorizontalPodAutoscaler never goes below one."""

    max: Annotated[int, Field(ge=1, strict=True), INT32] = Field(examples=[6])
    """The most pods."""

    cpu: Annotated[int, Field(ge=1, strict=True), INT32] | None = Field(default=None, examples=[70])
    """The average CPU use of the pods that is aimed at, in percent of their requests."""

    metric: Metric | None = None
    """A metric of the pods themselves, such as requests waiting: a GPU's load does not show in CPU use."""

    keda: KedaTrigger | None = None
    """An event source, through KEDA."""

    @model_validator(mode="after")
    def _fits_together(self) -> "Autoscale":
        problems: list[Any] = []
        given = [kind for kind in ("cpu", "metric", "keda") if getattr(self, kind) is not None]
        if len(given) != 1:
            said = f"it has {' and '.join(given)}" if given else "it has none"
            problems.append(((), refuse(f"pods are scaled by one thing: {said}", "give one of cpu, metric, keda")))
        if self.min > self.max:
            error = refuse(f"{self.min} is above max, which is {self.max}", "raise max or lower min", self.max)
            problems.append((("min",), error))
        if self.min == 0 and self.keda is None:
            fix = "set it to 1, or scale by keda"
            problems.append((("min",), refuse("only KEDA scales to zero", fix, value=1)))
        raise_all("Autoscale", problems)
        return self


def autoscaler(name: str, metadata: Manifest, autoscale: Autoscale) -> Manifest:
    """The object that scales the Deployment of a name."""
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
