"""Rules about an object in view of the others."""

from collections.abc import Iterator, Sequence

from components.base.objects import WORKLOADS, Manifest, namespace, pod_templates, selects, target
from components.base.quantities import parse_quantity
from components.team_namespace.footprint import share_of
from policies.rule import of_stacks


def _of(kind: str, stack: Sequence[Manifest], place: str) -> list[Manifest]:
    """The objects of a kind in a namespace."""
    return [other for other in stack if other["kind"] == kind and namespace(other) == place]


def _selected(selector: Manifest, stack: Sequence[Manifest], place: str) -> list[tuple[Manifest, Manifest]]:
    """The workloads of a namespace whose pods a selector matches, each with the pod's template."""
    return [
        (other, template)
        for other in stack
        if other["kind"] in WORKLOADS and namespace(other) == place
        for template in pod_templates(other)
        if selects(selector, (template.get("metadata") or {}).get("labels") or {})
    ]


@of_stacks(
    "namespace-quota",
    "without a quota one team can take the whole cluster",
    "give the team a quota",
    ("Namespace",),
)
def _namespace_quota(manifest: Manifest, stack: Sequence[Manifest]) -> Iterator[str]:
    hard = [quota["spec"].get("hard") or {} for quota in _of("ResourceQuota", stack, manifest["metadata"]["name"])]
    compute = {key.removeprefix("requests.").removeprefix("limits.") for keys in hard for key in keys}
    missing = [name for name in ("cpu", "memory") if name not in compute]
    if missing:
        yield f"has no quota of {' and '.join(missing)}"


@of_stacks(
    "load-balancer-allowed",
    "a load balancer opens the namespace to the world, and costs money by the hour",
    "use the type ClusterIP, or make it a team that serves (serves: true)",
    ("Service",),
)
def _load_balancer_allowed(manifest: Manifest, stack: Sequence[Manifest]) -> Iterator[str]:
    if manifest["spec"].get("type") != "LoadBalancer":
        return
    place = namespace(manifest)
    hard = [quota["spec"].get("hard") or {} for quota in _of("ResourceQuota", stack, place)]
    if any(parse_quantity(str(keys.get("services.loadbalancers", "1"))) == 0 for keys in hard):
        yield f"is a load balancer, and the quota of {place} allows none"


@of_stacks(
    "service-selects",
    "a Service that selects no pods answers nobody, and nothing says so",
    "select labels that the pods have",
    ("Service",),
)
def _service_selects(manifest: Manifest, stack: Sequence[Manifest]) -> Iterator[str]:
    selector = manifest["spec"].get("selector")
    if selector and not _selected(selector, stack, namespace(manifest)):
        yield f"selects {', '.join(f'{key}={value}' for key, value in selector.items())}, which no pod of the stack has"


@of_stacks(
    "service-port",
    "a Service that sends requests to a port that nothing listens on refuses them all",
    "set targetPort to a port of the container",
    ("Service",),
)
def _service_port(manifest: Manifest, stack: Sequence[Manifest]) -> Iterator[str]:
    selector = manifest["spec"].get("selector")
    if not selector:
        return
    for workload, template in _selected(selector, stack, namespace(manifest)):
        ports = [port for container in template["spec"]["containers"] for port in container.get("ports") or []]
        opened = {port["containerPort"] for port in ports} | {port["name"] for port in ports if "name" in port}
        for port in manifest["spec"].get("ports") or []:
            wanted = port.get("targetPort", port["port"])
            if opened and wanted not in opened:
                name = workload["metadata"]["name"]
                yield f"sends to port {wanted}, and {name} opens {', '.join(map(str, sorted(opened, key=str)))}"


@of_stacks(
    "disruption-allowed",
    "a budget that allows no disruption stops every node upgrade",
    "lower minAvailable, raise maxUnavailable, or run more replicas",
    ("PodDisruptionBudget",),
)
def _disruption_allowed(manifest: Manifest, stack: Sequence[Manifest]) -> Iterator[str]:
    spec = manifest["spec"]
    selector = spec.get("selector")
    if selector is None:
        return
    # A budget counts all pods that it selects, whichever workload makes them.
    selected = {target(workload): workload for workload, _ in _selected(selector, stack, namespace(manifest))}
    fewest = {name: _fewest(workload, stack) for name, workload in selected.items()}
    pods = sum(fewest.values())
    if not pods and any(any(_scalers(workload, stack)) for workload in selected.values()):
        pods = 1  # of what is scaled from zero, the first
    if not pods:
        return
    if "maxUnavailable" in spec:
        spare = share_of(pods, spec["maxUnavailable"])
    else:
        spare = pods - share_of(pods, spec.get("minAvailable", 0))
    if spare < 1:
        names = [w["metadata"]["name"] for name, w in selected.items() if fewest[name] or not any(fewest.values())]
        yield f"allows none of the {pods} pods of {' and '.join(names)} to be moved"


# Kind of an autoscaler → its field for the fewest pods, and what Kubernetes or KEDA takes where it is not set.
_MINIMUM = {"HorizontalPodAutoscaler": ("minReplicas", 1), "ScaledObject": ("minReplicaCount", 0)}


def _fewest(workload: Manifest, stack: Sequence[Manifest]) -> int:
    """How many pods a workload has at least."""
    fewest: int = workload["spec"].get("replicas", 1)
    for scaler in _scalers(workload, stack):
        field, default = _MINIMUM[scaler["kind"]]
        fewest = scaler["spec"].get(field, default)
    return fewest


def _scalers(workload: Manifest, stack: Sequence[Manifest]) -> Iterator[Manifest]:
    """The autoscalers that scale a workload."""
    for kind in _MINIMUM:
        for scaler in _of(kind, stack, namespace(workload)):
            scaled = scaler["spec"]["scaleTargetRef"]
            if (scaled.get("kind", "Deployment"), scaled["name"]) == (workload["kind"], workload["metadata"]["name"]):
                yield scaler


@of_stacks(
    "autoscaler-owns-replicas",
    "every deployment would set the replicas back that the autoscaler has chosen",
    "leave replicas out where an autoscaler scales the workload",
    ("Deployment", "StatefulSet"),
)
def _autoscaler_owns_replicas(manifest: Manifest, stack: Sequence[Manifest]) -> Iterator[str]:
    if manifest["spec"].get("replicas") is None:
        return
    for scaler in _scalers(manifest, stack):
        yield f"sets replicas, which {scaler['metadata']['name']} scales"


@of_stacks(
    "claim-not-shared",
    "a ReadWriteOnce claim serves the pods of one node: the others wait for it for ever",
    "use ReadOnlyMany or ReadWriteMany, or one replica with the strategy Recreate",
    ("Deployment",),
)
def _claim_not_shared(manifest: Manifest, stack: Sequence[Manifest]) -> Iterator[str]:
    spec = manifest["spec"]
    single = spec.get("replicas", 1) == 1 and (spec.get("strategy") or {}).get("type") == "Recreate"
    claims = {claim["metadata"]["name"]: claim for claim in _of("PersistentVolumeClaim", stack, namespace(manifest))}
    for volume in spec["template"]["spec"].get("volumes") or []:
        name = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        if name in claims and not single:
            modes = claims[name]["spec"].get("accessModes") or []
            if not {"ReadOnlyMany", "ReadWriteMany"}.intersection(modes):
                yield f"shares the claim {name}, which is {' and '.join(modes)}, between its pods"
