"""Rules about an object by itself."""

from collections.abc import Iterator

from components.base.objects import WORKLOADS, Manifest, containers, pod_templates, selects
from components.pod.resources import is_gpu
from policies.rule import of_objects


@of_objects(
    "owner-label",
    "an object that belongs to nobody is asked about by everybody, and paid for by nobody",
    "set the label team: objects of a team's workloads get it from the team",
    {*WORKLOADS, "Namespace", "Service"},
)
def _owner_label(manifest: Manifest) -> Iterator[str]:
    if not (manifest["metadata"].get("labels") or {}).get("team"):
        yield "has no label team"


@of_objects(
    "workload-labels",
    "teams find their runs and services by app and workload-type",
    "set the labels app and workload-type on the pods",
    WORKLOADS,
    level="advisory",
)
def _workload_labels(manifest: Manifest) -> Iterator[str]:
    for template in pod_templates(manifest):
        labels = (template.get("metadata") or {}).get("labels") or {}
        missing = [label for label in ("app", "workload-type") if not labels.get(label)]
        if missing:
            yield f"has pods without the label {' and '.join(missing)}"


@of_objects(
    "pod-security",
    "a namespace without Pod Security takes privileged pods",
    "set podSecurity: restricted (the label pod-security.kubernetes.io/enforce), or baseline",
    ("Namespace",),
)
def _pod_security(manifest: Manifest) -> Iterator[str]:
    level = (manifest["metadata"].get("labels") or {}).get("pod-security.kubernetes.io/enforce")
    if level not in ("restricted", "baseline"):
        yield "enforces no Pod Security" if level is None else f"enforces Pod Security {level}"


@of_objects(
    "not-in-default",
    "the namespaces of Kubernetes itself have no team, no quota and no Pod Security",
    "put it into a team's namespace",
    {*WORKLOADS, "Service"},
)
def _not_in_default(manifest: Manifest) -> Iterator[str]:
    place = manifest["metadata"].get("namespace", "default")
    if place == "default" or str(place).startswith("kube-"):
        yield f"lives in the namespace {place}"


@of_objects(
    "no-external-ips",
    "externalIPs of a Service take over another's traffic (CVE-2020-8554)",
    "remove externalIPs",
    ("Service",),
)
def _no_external_ips(manifest: Manifest) -> Iterator[str]:
    if manifest["spec"].get("externalIPs"):
        yield "claims external IP addresses"


@of_objects(
    "readiness-probe",
    "models take time to load: without a readiness probe pods get requests that they cannot answer yet",
    "give health.readiness",
    ("Deployment", "StatefulSet"),
)
def _readiness_probe(manifest: Manifest) -> Iterator[str]:
    main = manifest["spec"]["template"]["spec"]["containers"]
    if not any(container.get("readinessProbe") for container in main):
        yield "has no container with a readiness probe"


@of_objects(
    "selector-matches-template",
    "Kubernetes refuses a workload that does not select its own pods",
    "give the template the labels of the selector",
    ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"),
)
def _selector_matches_template(manifest: Manifest) -> Iterator[str]:
    spec = manifest["spec"]
    labels = (spec["template"].get("metadata") or {}).get("labels") or {}
    if not selects(spec.get("selector") or {}, labels):
        yield "selects other labels than its pods have"


def _startup_seconds(manifest: Manifest) -> int:
    """How long the pods may take until they are ready, as their probes say.

    The first startup probe may come right after the container's start: what is certain is one period
    less than there are failures.
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


@of_objects(
    "deadline-covers-startup",
    "a rollout that counts as failed before its pods may be ready fails every time that a model loads slowly",
    "raise progressDeadlineSeconds to the startup budget, or above",
    ("Deployment",),
)
def _deadline_covers_startup(manifest: Manifest) -> Iterator[str]:
    deadline, startup = manifest["spec"].get("progressDeadlineSeconds", 600), _startup_seconds(manifest)
    if deadline < startup:
        yield f"counts as failed after {deadline} s, and its pods may take {startup} s to start"


@of_objects(
    "job-bounded",
    "a failing job that is started again without end keeps its GPUs and its bill",
    "lower backoffLimit (retries), or set activeDeadlineSeconds (deadlineSeconds)",
    ("Job",),
    level="advisory",
)
def _job_bounded(manifest: Manifest) -> Iterator[str]:
    retries = manifest["spec"].get("backoffLimit", 6)
    if retries > 20 and not manifest["spec"].get("activeDeadlineSeconds"):
        yield f"is tried {retries + 1} times, for as long as it takes"


@of_objects(
    "no-secret-data",
    "the values of a Secret that Pulumi makes are in its state, for all who can read that",
    "let the cluster's own store make the Secret (External Secrets, Sealed Secrets, the cloud's CSI driver)",
    ("Secret",),
    level="advisory",
)
def _no_secret_data(manifest: Manifest) -> Iterator[str]:
    if manifest.get("data") or manifest.get("stringData"):
        yield "brings its values with it"


@of_objects(
    "no-surge-on-gpus",
    "where all GPUs are in use the pod that a rollout adds waits for ever for one, and so does the rollout",
    "set the rollout to maxSurge 0, or keep a GPU spare and make an exception",
    ("Deployment",),
    level="advisory",
)
def _no_surge_on_gpus(manifest: Manifest) -> Iterator[str]:
    spec = manifest["spec"]
    strategy = spec.get("strategy") or {}
    surge = (strategy.get("rollingUpdate") or {}).get("maxSurge", "25%")
    limits = [(c.get("resources") or {}).get("limits") or {} for c in containers(spec["template"]["spec"])]
    has_gpus = any(is_gpu(name) for names in limits for name in names)
    if has_gpus and strategy.get("type") != "Recreate" and surge not in (0, "0%"):
        yield f"adds pods with GPUs during a rollout (maxSurge {surge})"
