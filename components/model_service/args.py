"""Arguments of a ModelService."""

from typing import Annotated, Any

from pydantic import Field

from ..base.errors import refuse
from ..base.names import INT32, MAX_INT32, LabelValue, Port
from ..pod.env import EnvValue
from ..pod.resources import Resources
from ..pod.volumes import single_node
from ..workload.args import WorkloadArgs
from . import canary as canaries
from . import rollout
from .autoscaling import Autoscale
from .canary import Canary
from .metrics import Metrics
from .model_source import VOLUME, Model
from .networking import IngressArgs, RouteArgs, ServiceArgs
from .probes import Health
from .rollout import Disruption, Rollout

# A server that asks for nothing: 2 cores and 4 GiB set aside, 4 cores and 8 GiB at most.
DEFAULT_RESOURCES = Resources(requests={"cpu": "2", "memory": "4Gi"}, limits={"cpu": "4", "memory": "8Gi"})


# What a service without pods of its own can have.
_WITHOUT_PODS = {"team", "namespace", "labels", "annotations", "service"}


Seconds = Annotated[int, Field(ge=1, strict=True), INT32]


class ModelServiceArgs(WorkloadArgs):
    """Arguments of a ModelService."""

    replicas: Annotated[int, Field(ge=1, strict=True), INT32] = Field(default=1, examples=[3])
    """How many identical pods serve. Give this or ``autoscale``."""

    autoscale: Autoscale | None = None
    """Lets the number of pods follow the load. Give this or ``replicas``.

    On the way back to ``replicas`` the autoscaler is deleted last, and may scale once more until then:
    ``pulumi up --refresh`` settles that.
    """

    port: Port = Field(default=8080, examples=[8080])
    """The port that the container listens on."""

    version: LabelValue | None = Field(default=None, examples=["v1.2.3"])
    """The ``model-version`` label."""

    model: Model | None = None
    """Where the model comes from; default: it is in the image."""

    config_version: EnvValue | None = None
    """Anything that differs when the content of a mounted ConfigMap or Secret does: a hash of it, its resourceVersion.

    The pods are replaced when it changes. When a volume refers to another ConfigMap or Secret, they are anyway.
    """

    service: ServiceArgs = ServiceArgs()
    """The Service in front of the pods."""

    ingress: IngressArgs | None = None
    """An Ingress in front of the Service; default: none."""

    route: RouteArgs | None = None
    """A Gateway's HTTPRoute to the Service; default: none."""

    canary: Canary | None = None
    """A new version beside this one, for a part of the requests; default: none.

    Beside ``autoscale`` it takes a ``route``: an autoscaler would count the pods of both versions.
    """

    health: Health = Health()
    """How Kubernetes asks a pod whether it can serve."""

    startup_budget_seconds: Seconds = 600
    """Seconds in which a new pod has to serve: to pull its image and to load its model.

    It sets how long the startup probe may fail, Kubernetes' ``progressDeadlineSeconds``, and how long
    ``pulumi up`` waits: once for all the pods that start together, so that a rolling update of three
    pods, one after the other, has three times as long. Default: what Kubernetes and the provider take.
    """

    rollout: Rollout | None = None
    """How a new version takes the place of the old one.

    ``surge``: a new pod serves before an old one goes, which takes room for one more pod in four.
    ``replace``: an old pod goes first, so that one pod fewer serves meanwhile. Default: surge, but
    replace with GPUs, since the new pod would wait for one that an old pod holds, and with a
    volume that only one pod can mount.
    """

    drain_seconds: Annotated[int, Field(ge=0, strict=True), INT32] = 15
    """Seconds that a pod goes on serving after it was told to stop.

    Routers and load balancers take that long to hear of it; then it has thirty more to finish the
    requests that it has. Default: more than the ten seconds between the checks of most load balancers.
    """

    disruption: Disruption = Disruption()
    """How many pods may be taken at once by what drains nodes."""

    revision_history: Annotated[int, Field(ge=0, strict=True), INT32] = 0
    """How many old versions the cluster keeps for ``kubectl rollout undo``.

    Default: none. The stack's own history has them all, and ``pulumi up`` waits for each rollout. Going
    back to a version that the cluster kept, the provider may take it for rolled out before it is.
    """

    metrics: Metrics | None = None
    """Where the server tells its metrics; default: nowhere."""

    timeout_seconds: Seconds | None = None
    """Seconds that ``pulumi up`` waits for each object; default: see ``startup_budget_seconds``."""

    def default_resources(self) -> Resources:
        """What a server gets that asks for nothing."""
        return DEFAULT_RESOURCES

    def has_pods(self) -> bool:
        """Whether the model is served here, and not elsewhere."""
        return self.service.type != "ExternalName"

    def min_replicas(self) -> int:
        """How many pods serve at least, beside a canary's."""
        return self.replicas if self.autoscale is None else self.autoscale.min

    def max_replicas(self) -> int:
        """How many pods serve at most, beside a canary's."""
        return self.replicas if self.autoscale is None else self.autoscale.max

    def canary_pods(self) -> int:
        """How many pods the canary has."""
        routed = self.route is not None
        return 0 if self.canary is None else canaries.pods(self.canary, max(1, self.min_replicas()), routed=routed)

    def chosen_rollout(self) -> Rollout:
        """The way of rolling out: the user's own, or the one that makes progress."""
        if self.rollout is not None:
            return self.rollout
        return "replace" if self.gpus or self._of_one_pod() else "surge"

    def wait(self, pods: int) -> int:
        """Seconds that ``pulumi up`` waits for a rollout of so many pods."""
        steps = rollout.steps(self.chosen_rollout(), pods)
        return self.timeout_seconds or min(self.startup_budget_seconds * steps, MAX_INT32)

    def _of_one_pod(self) -> list[str]:
        """The volumes that the pods of one node only can mount, as paths of arguments."""
        paths = [f"volumes.{name}" for name in single_node(self.volumes)]
        if self.model is not None and single_node({VOLUME: self.model.volume()}):
            paths.append("model.source")
        return paths

    def main_container(self) -> str:
        """Its name."""
        return "server"

    def _component_problems(self) -> list[Any]:
        if not self.has_pods():
            return self._needs_pods()
        metrics_port = self.metrics.port if self.metrics else None
        health = self.health.problems(self.startup_budget_seconds, {self.port, metrics_port or self.port})
        problems: list[Any] = [(("health", *path), error) for path, error in health]
        if self.model is not None:
            problems += self.model.problems(self.volumes, self.init_containers)
        if self.canary is not None:
            routed, scaled = self.route is not None, self.autoscale is not None
            problems += self.canary.problems(routed=routed, scaled=scaled)
            if routed:  # what is named after the component is checked with the component's name
                problems += canaries.fits(self.service.name or "", ["service", "name"])
                problems += canaries.fits(self.labels.get("app", ""), ["labels", "app"])
        return [*problems, *self._scaling(), *self._sharing()]

    def _needs_pods(self) -> list[Any]:
        given = self.model_fields_set - _WITHOUT_PODS
        spelled = [str(type(self).model_fields[name].alias) for name in sorted(given)]
        what = "a model that is hosted elsewhere (service.type ExternalName) has no pods and nothing in front of them"
        return [((name,), refuse(what, "remove it, or choose another type of service")) for name in spelled]

    def _scaling(self) -> list[Any]:
        if self.autoscale is None:
            return []
        problems: list[Any] = []
        if "replicas" in self.model_fields_set:
            fix = "remove replicas: autoscale.min is the fewest pods"
            problems.append((("replicas",), refuse("the autoscaler decides how many pods serve", fix)))
        if self.autoscale.cpu is not None and "cpu" not in self.main_resources().requests:
            fix = "set resources.requests.cpu"
            problems.append((("autoscale", "cpu"), refuse("is a percentage of a request that is not given", fix)))
        return problems

    def _sharing(self) -> list[Any]:
        """A volume of one node, mounted by pods that may be on several."""
        reasons = []
        if self.max_replicas() > 1:
            argument = "replicas" if self.autoscale is None else "autoscale.max"
            reasons.append((f"{self.max_replicas()} pods", f"set {argument} to 1"))
        if self.canary is not None:
            reasons.append(("a canary", "remove the canary"))
        if self.rollout == "surge":
            reasons.append(("a surge", "set rollout: replace"))
        shared = "use a volume that several nodes can mount and say so with accessMode"
        return [
            ((*path.split("."), "accessMode"), refuse(f"only one node can mount it, not {who}", f"{shared}, or {fix}"))
            for path in self._of_one_pod()
            for who, fix in reasons
        ]
