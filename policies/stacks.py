"""Rules about an object in view of the others."""

from collections.abc import Iterator, Sequence
from decimal import ROUND_CEILING, Decimal

from components.quantities import amount
from policies.rule import WORKLOADS, Manifest, namespace, of_stacks, pod_templates, selects


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
    if any(amount(str(keys.get("services.loadbalancers", "1"))) == 0 for keys in hard):
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
    for workload, _ in _selected(selector, stack, namespace(manifest)):
        replicas = workload["spec"].get("replicas", 1)
        scalers = [
            scaler["spec"]
            for scaler in _of("HorizontalPodAutoscaler", stack, namespace(manifest))
            if scaler["spec"]["scaleTargetRef"]["name"] == workload["metadata"]["name"]
        ]
        if scalers:
            replicas = scalers[0].get("minReplicas", 1)
        if "maxUnavailable" in spec:
            spare = _share(spec["maxUnavailable"], replicas)
        else:
            spare = replicas - _share(spec.get("minAvailable", 0), replicas)
        if spare < 1:
            yield f"allows none of the {replicas} pods of {workload['metadata']['name']} to be moved"


def _share(value: int | str, replicas: int) -> int:
    """A number of pods, or a share of them, rounded up as Kubernetes does."""
    if isinstance(value, str) and value.endswith("%"):
        return int((Decimal(value.rstrip("%")) * replicas / 100).to_integral_value(ROUND_CEILING))
    return int(value)


@of_stacks(
    "autoscaler-owns-replicas",
    "every deployment would set the replicas back that the autoscaler has chosen",
    "leave replicas out where an autoscaler scales the workload",
    ("Deployment", "StatefulSet"),
)
def _autoscaler_owns_replicas(manifest: Manifest, stack: Sequence[Manifest]) -> Iterator[str]:
    if manifest["spec"].get("replicas") is None:
        return
    for kind in ("HorizontalPodAutoscaler", "ScaledObject"):
        for scaler in _of(kind, stack, namespace(manifest)):
            target = scaler["spec"]["scaleTargetRef"]
            if (target.get("kind", "Deployment"), target["name"]) == (manifest["kind"], manifest["metadata"]["name"]):
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
