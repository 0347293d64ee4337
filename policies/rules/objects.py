"""Rules for single objects."""

from collections.abc import Iterator

from components.base.objects import WORKLOADS, Manifest, containers, namespace_of, pod_templates, selects
from components.pod.resources import is_gpu
from policies.rule import Violation, object_rule, violation


@object_rule(
    "owner-label",
    "without an owner nobody maintains the object or accounts for its cost",
    "set the label team; workloads inherit it from their team",
    {*WORKLOADS, "Namespace", "Service"},
)
def _owner_label(manifest: Manifest) -> Iterator[Violation]:
    if not (manifest["metadata"].get("labels") or {}).get("team"):
        yield violation("has no label team")


@object_rule(
    "workload-labels",
    "teams find their runs and services by the labels app and workload-type",
    "set the labels app and workload-type on the pods",
    WORKLOADS,
    level="advisory",
)
def _workload_labels(manifest: Manifest) -> Iterator[Violation]:
    for template in pod_templates(manifest):
        labels = (template.get("metadata") or {}).get("labels") or {}
        missing = [label for label in ("app", "workload-type") if not labels.get(label)]
        if missing:
            yield violation("has pods without the label {labels}", labels=" and ".join(missing))


@object_rule(
    "pod-security",
    "a namespace that enforces no Pod Security Standard admits privileged pods",
    "set podSecurity (the label pod-security.kubernetes.io/enforce) to restricted or baseline",
    ("Namespace",),
)
def _pod_security(manifest: Manifest) -> Iterator[Violation]:
    level = (manifest["metadata"].get("labels") or {}).get("pod-security.kubernetes.io/enforce")
    if level is None:
        yield violation("enforces no Pod Security Standard")
    elif level not in ("restricted", "baseline"):
        yield violation("enforces the Pod Security Standard {level}", level=level)


@object_rule(
    "not-in-default",
    "the namespace default and those of Kubernetes have no team, no quota and no Pod Security",
    "deploy it to the namespace of a team",
    {*WORKLOADS, "Service"},
)
def _not_in_default(manifest: Manifest) -> Iterator[Violation]:
    namespace = namespace_of(manifest)
    if namespace == "default" or namespace.startswith("kube-"):
        yield violation("is in the namespace {namespace}", namespace=namespace)


@object_rule(
    "no-external-ips",
    "the externalIPs of a Service can intercept the traffic of others (CVE-2020-8554)",
    "remove externalIPs",
    ("Service",),
)
def _no_external_ips(manifest: Manifest) -> Iterator[Violation]:
    if manifest["spec"].get("externalIPs"):
        yield violation("sets externalIPs")


@object_rule(
    "readiness-probe",
    "models take time to load: without a readiness probe a pod receives requests before it can answer them",
    "set health.readiness",
    ("Deployment", "StatefulSet"),
)
def _readiness_probe(manifest: Manifest) -> Iterator[Violation]:
    main = manifest["spec"]["template"]["spec"]["containers"]
    if not any(container.get("readinessProbe") for container in main):
        yield violation("has no container with a readiness probe")


@object_rule(
    "selector-matches-template",
    "the API server rejects a workload whose selector does not match its pod template",
    "set the labels of the selector on the pod template",
    ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"),
)
def _selector_matches_template(manifest: Manifest) -> Iterator[Violation]:
    spec = manifest["spec"]
    labels = (spec["template"].get("metadata") or {}).get("labels") or {}
    if not selects(spec.get("selector") or {}, labels):
        yield violation("has a selector that does not match its pod template")


def _startup_seconds(manifest: Manifest) -> int:
    """The time that the pods have until they must be ready, according to their probes.

    The kubelet may run the first startup probe immediately after the container has started, so the budget is one
    period less than the failure threshold suggests.
    """
    longest = 0
    for container in manifest["spec"]["template"]["spec"]["containers"]:
        startup, readiness = container.get("startupProbe") or {}, container.get("readinessProbe") or {}
        seconds = readiness.get("initialDelaySeconds", 0)
        if startup:
            seconds = startup.get("initialDelaySeconds", 0)
            seconds += startup.get("periodSeconds", 10) * (startup.get("failureThreshold", 3) - 1)
        longest = max(longest, seconds)
    return longest


@object_rule(
    "deadline-covers-startup",
    "a rollout whose deadline is shorter than the startup of its pods fails whenever a model loads slowly",
    "set progressDeadlineSeconds to the startup budget or more",
    ("Deployment",),
)
def _deadline_covers_startup(manifest: Manifest) -> Iterator[Violation]:
    deadline, startup = manifest["spec"].get("progressDeadlineSeconds", 600), _startup_seconds(manifest)
    if deadline < startup:
        yield violation(
            "has a progress deadline of {deadline} s, but its pods may take {startup} s to start",
            deadline=deadline,
            startup=startup,
        )


@object_rule(
    "job-bounded",
    "a failing job that is retried without a bound keeps its GPUs and their cost",
    "lower backoffLimit (retries), or set activeDeadlineSeconds (deadlineSeconds)",
    ("Job",),
    level="advisory",
)
def _job_bounded(manifest: Manifest) -> Iterator[Violation]:
    retries = manifest["spec"].get("backoffLimit", 6)
    if retries > 20 and not manifest["spec"].get("activeDeadlineSeconds"):
        yield violation("is retried {retries} times and has no deadline", retries=retries)


@object_rule(
    "no-secret-data",
    "the values of a Secret that Pulumi creates are part of its state, which others can read",
    "let a secret store create the Secret (External Secrets, Sealed Secrets, the cloud's CSI driver)",
    ("Secret",),
    level="advisory",
)
def _no_secret_data(manifest: Manifest) -> Iterator[Violation]:
    if manifest.get("data") or manifest.get("stringData"):
        yield violation("contains its values")


@object_rule(
    "no-surge-on-gpus",
    "if all GPUs are in use, a pod that the rollout adds stays Pending, and the rollout does not complete",
    "set maxSurge: 0, or keep a spare GPU and add an exception",
    ("Deployment",),
    level="advisory",
)
def _no_surge_on_gpus(manifest: Manifest) -> Iterator[Violation]:
    spec = manifest["spec"]
    strategy = spec.get("strategy") or {}
    surge = (strategy.get("rollingUpdate") or {}).get("maxSurge", "25%")
    limits = [(c.get("resources") or {}).get("limits") or {} for c in containers(spec["template"]["spec"])]
    has_gpus = any(is_gpu(name) for names in limits for name in names)
    if has_gpus and strategy.get("type") != "Recreate" and surge not in (0, "0%"):
        yield violation("adds pods with GPUs during a rollout (maxSurge: {surge})", surge=surge)
