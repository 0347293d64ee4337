"""Arguments of a ModelService."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from ..base.error_table import MUTUALLY_EXCLUSIVE, REQUIRES, SINGLE_NODE_VOLUME
from ..base.names import INT32, MAX_INT32, LabelValue, Port
from ..pod.env import EnvValue
from ..pod.resources import Resources
from ..pod.volumes import single_node
from ..workload.args import WorkloadArgs
from .autoscaling import Autoscale
from .canary import Canary, canary_name_problems, canary_replicas
from .metrics import Metrics
from .model_source import VOLUME, Model
from .networking import IngressArgs, RouteArgs, ServiceArgs
from .probes import Health
from .rollout import Disruption, Rollout, rollout_steps

DEFAULT_RESOURCES = Resources(requests={"cpu": "2", "memory": "4Gi"}, limits={"cpu": "4", "memory": "8Gi"})

# The arguments of a ModelService without pods.
_WITHOUT_PODS = {"name", "adopt", "team", "namespace", "labels", "annotations", "service"}

PositiveInt32 = Annotated[int, Field(ge=1, strict=True), INT32]
NonNegativeInt32 = Annotated[int, Field(ge=0, strict=True), INT32]


class ModelServiceArgs(WorkloadArgs):
    """Arguments of a ModelService."""

    replicas: PositiveInt32 = Field(default=1, examples=[3])
    """Number of identical pods that serve. Mutually exclusive with ``autoscale``. Updatable in place."""

    autoscale: Autoscale | None = None
    """Scales the number of pods with the load. Mutually exclusive with ``replicas``.

    When it is removed, the autoscaler is deleted last, and may scale once more until then:
    ``pulumi up --refresh`` corrects that. Updatable in place.
    """

    port: Port = Field(default=8080, examples=[8080])
    """The port that the container listens on. A change rolls the pods."""

    version: LabelValue | None = Field(default=None, examples=["v1.2.3"])
    """The ``model-version`` label. A change rolls the pods."""

    model: Model | None = None
    """The source of a model that is not in the image. A change rolls the pods."""

    config_version: EnvValue | None = None
    """Any value that changes with the content of the mounted ConfigMaps and Secrets, such as a hash of it.

    The content itself is not known to Pulumi. When a volume refers to another ConfigMap or Secret, the
    pods are rolled anyway. A change rolls the pods.
    """

    service: ServiceArgs = ServiceArgs()
    """The Service in front of the pods. Another ``name`` replaces it. Updatable in place."""

    ingress: IngressArgs | None = None
    """An Ingress in front of the Service. Updatable in place."""

    route: RouteArgs | None = None
    """An HTTPRoute from a Gateway to the Service.

    To add or remove it beside a ``canary`` replaces the canary's Deployment, whose selector differs.
    Updatable in place.
    """

    canary: Canary | None = None
    """A second version that serves part of the requests.

    With ``autoscale`` it requires a ``route``: otherwise the autoscaler would count the pods of both
    versions. The pods of the stable version are unaffected. Updatable in place.
    """

    health: Health = Health()
    """The probes of the pods. A change rolls the pods."""

    startup_budget_seconds: PositiveInt32 = 600
    """Seconds within which a new pod must become ready: its image is pulled and its model is loaded.

    It sets the startup probe's ``failureThreshold``, the Deployment's ``progressDeadlineSeconds``, and how
    long ``pulumi up`` waits: once for each step of a rollout, so that three pods, one after the other,
    have three times as long. The default is that of Kubernetes and of the provider. A change rolls the pods.
    """

    rollout: Rollout | None = None
    """How a new version replaces the previous one.

    ``surge``: new pods become ready before old ones are stopped, which requires room for a quarter more
    pods. ``replace``: an old pod is stopped first, so that one pod fewer serves meanwhile. Defaults to
    ``surge``; with GPUs, or a volume that only one node can mount, ``replace``, since a new pod would wait
    for what an old pod holds. Updatable in place.
    """

    drain_seconds: NonNegativeInt32 = 15
    """Seconds that a terminating pod continues to serve (preStop delay) while load balancers deregister it.

    The server then has 30 seconds to finish its requests: both add up to the termination grace period.
    The default exceeds the ten seconds between the health checks of most load balancers. 0 removes the
    delay. A change rolls the pods.
    """

    disruption: Disruption = Disruption()
    """How many pods can be evicted at once (PodDisruptionBudget). Updatable in place."""

    revision_history: NonNegativeInt32 = 0
    """Number of old ReplicaSets that are kept for ``kubectl rollout undo``.

    None are needed: the stack's history has all versions, and ``pulumi up`` waits for each rollout. When
    it returns to a version whose ReplicaSet was kept, the provider may consider the rollout complete
    before it is. Updatable in place.
    """

    metrics: Metrics | None = None
    """Where the server exposes its metrics, and what scrapes them.

    A ``port`` of their own is a port of the container, and rolls the pods. Updatable in place.
    """

    timeout_seconds: PositiveInt32 | None = None
    """Seconds that ``pulumi up`` waits for each object.

    Defaults to ``startup_budget_seconds`` for each step of a Deployment's rollout, and to the provider's
    ten minutes for the other objects. Updatable in place.
    """

    def default_resources(self) -> Resources:
        """The resources of a server that sets none."""
        return DEFAULT_RESOURCES

    def main_container(self) -> str:
        """The main container's name."""
        return self.container_name or "server"

    def has_pods(self) -> bool:
        """Whether the model is served by pods, rather than hosted elsewhere."""
        return self.service.type != "ExternalName"

    def min_replicas(self) -> int:
        """The minimum number of pods, without a canary's."""
        return self.replicas if self.autoscale is None else self.autoscale.min

    def max_replicas(self) -> int:
        """The maximum number of pods, without a canary's and a surge's."""
        return self.replicas if self.autoscale is None else self.autoscale.max

    def canary_replicas(self) -> int:
        """The number of the canary's pods."""
        routed = self.route is not None
        return 0 if self.canary is None else canary_replicas(self.canary, max(1, self.min_replicas()), routed=routed)

    def effective_rollout(self) -> Rollout:
        """The ``rollout`` argument, or the default that makes progress."""
        if self.rollout is not None:
            return self.rollout
        return "replace" if self.gpus or self._single_node_volumes() else "surge"

    def rollout_wait_seconds(self, pods: int) -> int:
        """Seconds that ``pulumi up`` waits for a rollout of a number of pods."""
        steps = rollout_steps(self.effective_rollout(), pods)
        return self.timeout_seconds or min(self.startup_budget_seconds * steps, MAX_INT32)

    def _single_node_volumes(self) -> dict[tuple[str, ...], str]:
        """The access modes of the volumes that only one node can mount, by the paths of the arguments."""
        modes: dict[tuple[str, ...], str] = {
            ("volumes", name): self.volumes[name].access_mode for name in single_node(self.volumes)
        }
        if self.model is not None and single_node({VOLUME: self.model.volume()}):
            modes["model", "source"] = self.model.source.access_mode
        return modes

    def _component_problems(self) -> list[Any]:
        if not self.has_pods():
            return list(self._external_name_problems())
        metrics_port = self.metrics.port if self.metrics else None
        health = self.health.problems(self.startup_budget_seconds, {self.port, metrics_port or self.port})
        problems: list[Any] = [(("health", *path), error) for path, error in health]
        if self.model is not None:
            problems += self.model.problems(self.volumes, self.init_containers)
        if self.canary is not None:
            routed, scaled = self.route is not None, self.autoscale is not None
            problems += self.canary.problems(routed=routed, scaled=scaled)
            if routed:  # names that derive from the component's are checked with that
                problems += canary_name_problems(self.service.name or "", ["service", "name"])
                problems += canary_name_problems(self.labels.get("app", ""), ["labels", "app"])
        return [*problems, *self._scaling_problems(), *self._single_node_problems()]

    def _external_name_problems(self) -> Iterator[Any]:
        for name in sorted(self.model_fields_set - _WITHOUT_PODS):
            argument = str(type(self).model_fields[name].alias)
            error = MUTUALLY_EXCLUSIVE(
                argument=argument,
                other="service.type: ExternalName",
                reason="a model that is hosted elsewhere has no pods, and nothing in front of them",
                fix=f"remove {argument}, or set another service.type",
            )
            yield (argument,), error

    def _scaling_problems(self) -> Iterator[Any]:
        if self.autoscale is None:
            return
        if "replicas" in self.model_fields_set:
            error = MUTUALLY_EXCLUSIVE(
                argument="replicas",
                other="autoscale",
                reason="the autoscaler sets the number of pods",
                fix="set autoscale.min, and remove replicas",
            )
            yield ("replicas",), error
        if self.autoscale.cpu is not None and "cpu" not in self.main_resources().requests:
            error = REQUIRES(requirement="resources.requests.cpu", argument="autoscale.cpu")
            yield ("autoscale", "cpu"), error

    def _single_node_problems(self) -> Iterator[Any]:
        """Volumes that only one node can mount, and pods on several."""
        shared = "use a claim that is ReadWriteMany or ReadOnlyMany and set accessMode to that"
        users = []
        if self.max_replicas() > 1:
            argument = "replicas" if self.autoscale is None else "autoscale.max"
            users.append((f"{self.max_replicas()} pods", f"set {argument} to 1"))
        if self.canary is not None:
            users.append(("the pods of a canary", "remove the canary"))
        if self.rollout == "surge":
            users.append(("the additional pods of a surge", "set rollout: replace"))
        for path, mode in self._single_node_volumes().items():
            for pods, fix in users:
                yield (*path, "accessMode"), SINGLE_NODE_VOLUME(mode=mode, users=pods, fix=f"{shared}, or {fix}")
