"""Rules for an object that depend on other objects of the stack."""

from collections.abc import Iterator, Sequence

from components.base.objects import (
    WORKLOADS,
    Manifest,
    int_or_percent,
    namespace_of,
    pod_templates,
    selects,
    target,
)
from components.base.quantities import parse_quantity
from policies.rule import Violation, stack_rule, violation


def _in_namespace(kind: str, stack: Sequence[Manifest], namespace: str) -> list[Manifest]:
    """The objects of a kind in a namespace."""
    return [other for other in stack if other["kind"] == kind and namespace_of(other) == namespace]


def _selected(selector: Manifest, stack: Sequence[Manifest], namespace: str) -> list[tuple[Manifest, Manifest]]:
    """The workloads of a namespace whose pods a selector matches, each with its pod template."""
    return [
        (other, template)
        for other in stack
        if other["kind"] in WORKLOADS and namespace_of(other) == namespace
        for template in pod_templates(other)
        if selects(selector, (template.get("metadata") or {}).get("labels") or {})
    ]


@stack_rule(
    "namespace-quota",
    "without a quota one team can use up the cluster",
    "set the quota of the team",
    ("Namespace",),
)
def _namespace_quota(manifest: Manifest, stack: Sequence[Manifest]) -> Iterator[Violation]:
    quotas = _in_namespace("ResourceQuota", stack, manifest["metadata"]["name"])
    hard = [quota["spec"].get("hard") or {} for quota in quotas]
    compute = {key.removeprefix("requests.").removeprefix("limits.") for keys in hard for key in keys}
    missing = [name for name in ("cpu", "memory") if name not in compute]
    if missing:
        yield violation("has no quota for {resources}", resources=" and ".join(missing))


@stack_rule(
    "load-balancer-allowed",
    "a load balancer exposes the namespace outside of the cluster, and costs money by the hour",
    "use the type ClusterIP, or set serves: true on the team",
    ("Service",),
)
def _load_balancer_allowed(manifest: Manifest, stack: Sequence[Manifest]) -> Iterator[Violation]:
    if manifest["spec"].get("type") != "LoadBalancer":
        return
    namespace = namespace_of(manifest)
    hard = [quota["spec"].get("hard") or {} for quota in _in_namespace("ResourceQuota", stack, namespace)]
    if any(parse_quantity(str(keys.get("services.loadbalancers", "1"))) == 0 for keys in hard):
        yield violation("is a load balancer, but the quota of {namespace} allows none", namespace=namespace)


@stack_rule(
    "service-selects",
    "a Service whose selector matches no pods has no endpoints, and no error reports it",
    "select labels of the pods",
    ("Service",),
)
def _service_selects(manifest: Manifest, stack: Sequence[Manifest]) -> Iterator[Violation]:
    selector = manifest["spec"].get("selector")
    if selector and not _selected(selector, stack, namespace_of(manifest)):
        labels = ", ".join(f"{key}={value}" for key, value in selector.items())
        yield violation("has the selector {selector}, which matches no pod of the stack", selector=labels)


@stack_rule(
    "service-port",
    "connections to a Service fail if its pods do not listen on the target port",
    "set targetPort to a port of the container",
    ("Service",),
)
def _service_port(manifest: Manifest, stack: Sequence[Manifest]) -> Iterator[Violation]:
    selector = manifest["spec"].get("selector")
    if not selector:
        return
    for workload, template in _selected(selector, stack, namespace_of(manifest)):
        ports = [port for container in template["spec"]["containers"] for port in container.get("ports") or []]
        declared = {port["containerPort"] for port in ports} | {port["name"] for port in ports if "name" in port}
        for port in manifest["spec"].get("ports") or []:
            wanted = port.get("targetPort", port["port"])
            if declared and wanted not in declared:
                yield violation(
                    "has the target port {port}, but {workload} declares the ports {ports}",
                    port=wanted,
                    workload=workload["metadata"]["name"],
                    ports=", ".join(map(str, sorted(declared, key=str))),
                )


@stack_rule(
    "disruption-allowed",
    "a PodDisruptionBudget that allows no disruption blocks the drain of nodes, and so their upgrade",
    "lower minAvailable, raise maxUnavailable, or run more replicas",
    ("PodDisruptionBudget",),
)
def _disruption_allowed(manifest: Manifest, stack: Sequence[Manifest]) -> Iterator[Violation]:
    spec = manifest["spec"]
    selector = spec.get("selector")
    if selector is None:
        return
    # A budget covers all pods that it selects, of any workload.
    selected = {target(workload): workload for workload, _ in _selected(selector, stack, namespace_of(manifest))}
    replicas = {name: _min_replicas(workload, stack) for name, workload in selected.items()}
    pods = sum(replicas.values())
    if not pods and any(any(_autoscalers(workload, stack)) for workload in selected.values()):
        pods = 1  # the first pod of a workload that scales from zero
    if not pods:
        return
    if "maxUnavailable" in spec:
        allowed = int_or_percent(spec["maxUnavailable"], pods, round_up=True)
    else:
        allowed = pods - int_or_percent(spec.get("minAvailable", 0), pods, round_up=True)
    if allowed < 1:
        names = [
            workload["metadata"]["name"]
            for name, workload in selected.items()
            if replicas[name] or not any(replicas.values())
        ]
        yield violation(
            "allows no disruption of {pods} of {workloads}",
            pods="1 pod" if pods == 1 else f"{pods} pods",
            workloads=" and ".join(names),
        )


# Kind of an autoscaler → its field for the minimum of replicas, and the default of Kubernetes or KEDA.
_MINIMUM = {"HorizontalPodAutoscaler": ("minReplicas", 1), "ScaledObject": ("minReplicaCount", 0)}


def _min_replicas(workload: Manifest, stack: Sequence[Manifest]) -> int:
    """The minimum of pods of a workload."""
    minimum: int = workload["spec"].get("replicas", 1)
    for autoscaler in _autoscalers(workload, stack):
        field, default = _MINIMUM[autoscaler["kind"]]
        minimum = autoscaler["spec"].get(field, default)
    return minimum


def _autoscalers(workload: Manifest, stack: Sequence[Manifest]) -> Iterator[Manifest]:
    """The autoscalers of a workload."""
    for kind in _MINIMUM:
        for autoscaler in _in_namespace(kind, stack, namespace_of(workload)):
            scaled = autoscaler["spec"]["scaleTargetRef"]
            if (scaled.get("kind", "Deployment"), scaled["name"]) == (workload["kind"], workload["metadata"]["name"]):
                yield autoscaler


@stack_rule(
    "autoscaler-owns-replicas",
    "each deployment would reset the replicas that the autoscaler has set",
    "remove replicas from a workload that is autoscaled",
    ("Deployment", "StatefulSet"),
)
def _autoscaler_owns_replicas(manifest: Manifest, stack: Sequence[Manifest]) -> Iterator[Violation]:
    if manifest["spec"].get("replicas") is None:
        return
    for autoscaler in _autoscalers(manifest, stack):
        yield violation("sets replicas, which {autoscaler} manages", autoscaler=autoscaler["metadata"]["name"])


@stack_rule(
    "claim-not-shared",
    "a ReadWriteOnce claim can only be mounted on one node: pods on other nodes do not start",
    "use ReadOnlyMany or ReadWriteMany, or one replica with the strategy Recreate",
    ("Deployment",),
)
def _claim_not_shared(manifest: Manifest, stack: Sequence[Manifest]) -> Iterator[Violation]:
    spec = manifest["spec"]
    single = spec.get("replicas", 1) == 1 and (spec.get("strategy") or {}).get("type") == "Recreate"
    claims = {
        claim["metadata"]["name"]: claim
        for claim in _in_namespace("PersistentVolumeClaim", stack, namespace_of(manifest))
    }
    for volume in spec["template"]["spec"].get("volumes") or []:
        name = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        if name in claims and not single:
            modes = claims[name]["spec"].get("accessModes") or []
            if not {"ReadOnlyMany", "ReadWriteMany"}.intersection(modes):
                yield violation(
                    "shares the claim {claim} between its pods, with the access mode {modes}",
                    claim=name,
                    modes=" and ".join(modes),
                )
