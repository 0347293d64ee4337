"""The symptoms of a failed workload: how the cluster reports each, its meaning, and the fix."""

import re
from dataclasses import dataclass

from review.messages import Kind, Message


@dataclass(frozen=True)
class Symptom:
    """How a failure is reported, and its meaning. The groups of the pattern are the values of the message."""

    kind: Kind
    reasons: frozenset[str]
    """The reasons of events and the states of containers that report it."""

    pattern: re.Pattern[str]
    """Matches the message of the event or state."""


def _symptom(code: str, reasons: str, pattern: str, text: str, fix: str) -> Symptom:
    compiled = re.compile(pattern, re.IGNORECASE | re.DOTALL)
    return Symptom(Kind(code, "symptom", text, fix), frozenset(reasons.split()), compiled)


_PULLS = "Failed ErrImagePull ImagePullBackOff BackOff InvalidImageName ErrImageNeverPull InspectFailed"
_MOUNTS = "FailedMount FailedAttachVolume"

# The first match counts: specific symptoms come before general ones.
SYMPTOMS = (
    _symptom(
        "quota-used-up",
        "FailedCreate",
        r"exceeded quota: (?P<quota>\S+), requested: (?P<requested>.+?), used: (?P<used>.+?), limited: (?P<limit>.+)$",
        "the ResourceQuota {quota} is used up: {requested} requested, {used} in use, {limit} allowed",
        "lower replicas or resources, delete workloads, or raise the quota of the team",
    ),
    _symptom(
        "quota-requires-resources",
        "FailedCreate",
        r"failed quota: (?P<quota>[^:]+): must specify (?P<resources>[^;]+)",
        "the ResourceQuota {quota} requires every container to set {resources}",
        "set resources.requests and resources.limits of every container, including init containers",
    ),
    _symptom(
        "pod-security-violated",
        "FailedCreate",
        r'violates PodSecurity "(?P<level>[^:"]+)[^"]*": (?P<violations>.+)$',
        "the Pod Security Standard {level} of the namespace denies the pods: {violations}",
        "remove the opt-out in security, or set podSecurity: baseline for the team",
    ),
    _symptom(
        "priority-class-not-found",
        "FailedCreate",
        r"no PriorityClass with name (?P<name>\S+) was found",
        "the PriorityClass {name} does not exist",
        "set priorityClass to an existing one (kubectl get priorityclasses), or remove it",
    ),
    _symptom(
        "service-account-not-found",
        "FailedCreate",
        r'serviceaccount "(?P<name>[^"]+)" not found',
        "the ServiceAccount {name} does not exist",
        "set serviceAccount to an existing one, or remove it: the workload then gets its own",
    ),
    _symptom(
        "runtime-class-not-found",
        "FailedCreate",
        r'RuntimeClass "(?P<name>[^"]+)" not found',
        "the RuntimeClass {name} does not exist",
        "set runtimeClassName of the node pool to an existing one, or remove it",
    ),
    _symptom(
        "limit-range-violated",
        "FailedCreate",
        r"(maximum|minimum) (?P<resource>\S+) usage per (?P<scope>\w+) is (?P<limit>[^,.]+)",
        "the LimitRange of the namespace allows {limit} of {resource} per {scope}",
        "change resources, or the containerLimits of the team",
    ),
    _symptom(
        "claim-not-found",
        "FailedScheduling",
        r'persistentvolumeclaim "(?P<name>[^"]+)" not found',
        "the PersistentVolumeClaim {name} does not exist",
        "create the claim in the same namespace, or correct volumes.<name>.claim",
    ),
    _symptom(
        "claim-unbound",
        "FailedScheduling",
        r"unbound immediate PersistentVolumeClaims|didn't find available persistent volumes",
        "a PersistentVolumeClaim has no volume",
        "run kubectl describe pvc: the StorageClass may not exist or have no capacity",
    ),
    _symptom(
        "gpus-insufficient",
        "FailedScheduling",
        r"Insufficient (?P<resource>[\w./-]*(?:gpu|/mig-)(?:[\w./-]*\w)?)[,. ]",
        "no node has an unallocated {resource}",
        "wait for a GPU or free one, lower gpus or replicas, or add nodes to the pool",
    ),
    _symptom(
        "resources-insufficient",
        "FailedScheduling",
        r"Insufficient (?P<resource>cpu|memory|ephemeral-storage|pods)",
        "no node has enough unallocated {resource} for the requests of the pod",
        "lower resources.requests.{resource} to what the workload uses, or add nodes",
    ),
    _symptom(
        "node-labels-and-taints",
        "FailedScheduling",
        r"(?=.*didn't match Pod's node affinity/selector).*had untolerated taint",
        "no node has both the labels that the pods select and only taints that they tolerate",
        "compare nodeSelector and tolerations of the node pool with kubectl describe nodes; it may be scaled to zero",
    ),
    _symptom(
        "node-taints",
        "FailedScheduling",
        r"had untolerated taint(\(s\)| \{(?P<taint>[^}:]+)[^}]*\})",
        "the nodes have a taint that the pods do not tolerate: {taint}",
        "add it to the tolerations of the node pool",
    ),
    _symptom(
        "node-labels",
        "FailedScheduling",
        r"didn't match Pod's node affinity/selector",
        "no node has the labels that the pods select",
        "compare nodeSelector of the node pool with kubectl get nodes --show-labels; it may be scaled to zero",
    ),
    _symptom(
        "no-nodes",
        "FailedScheduling",
        r"no nodes available",
        "the cluster has no nodes",
        "add nodes, or wait for the cluster autoscaler",
    ),
    _symptom("unschedulable", "FailedScheduling", r".", "no node fits the pods", "read why: kubectl describe pods"),
    _symptom(
        "variable-source-not-found",
        "Failed CreateContainerConfigError",
        r'(?P<kind>secret|configmap) "(?P<name>[^"]+)" not found',
        "the {kind} {name}, which a variable references, does not exist",
        "create it in the same namespace, or correct secretEnv",
    ),
    _symptom(
        "variable-key-not-found",
        "Failed CreateContainerConfigError",
        r"couldn't find key (?P<key>\S+) in (?P<kind>secret|configmap) (?P<name>\S+)",
        "the {kind} {name} has no key {key}, which a variable references",
        "add the key, or correct secretEnv",
    ),
    _symptom(
        "image-reference-invalid",
        "InvalidImageName Failed InspectFailed",
        r"(couldn't parse image|InvalidImageName|invalid reference)",
        "the image reference is invalid",
        "correct image: [registry/]path[:tag] with a lowercase path",
    ),
    _symptom(
        "image-pull-unauthorized",
        _PULLS,
        r"(unauthorized|authentication required|denied|no basic auth credentials|\b40[13]\b)",
        "the registry denies access to the image",
        "set imagePullSecrets to credentials of the registry; some registries report a wrong path in the same way",
    ),
    _symptom(
        "image-not-found",
        _PULLS,
        r"(not found|manifest unknown|does not exist|\b404\b)",
        "the image does not exist in the registry",
        "correct the path or the tag of the image",
    ),
    _symptom(
        "image-pull-failed",
        _PULLS,
        r"(pull|image)",
        "the node cannot pull the image",
        "check that the nodes can reach the registry, and that the image reference is correct",
    ),
    _symptom(
        "volume-source-not-found",
        _MOUNTS,
        r'(?P<kind>secret|configmap) "(?P<name>[^"]+)" not found',
        "the {kind} {name}, which the pods mount, does not exist",
        "create it in the same namespace, or correct volumes",
    ),
    _symptom(
        "claim-mounted-elsewhere",
        "FailedAttachVolume",
        r"Multi-Attach error",
        "a ReadWriteOnce claim is already mounted on another node",
        "use a claim with ReadWriteMany or ReadOnlyMany, or one replica with rollout: replace",
    ),
    _symptom(
        "volume-mount-failed",
        _MOUNTS,
        r".",
        "a volume cannot be mounted",
        "read what the node reports, and correct volumes",
    ),
    _symptom(
        "startup-probe-failed",
        "Unhealthy",
        r"^Startup probe failed",
        "the startup probe fails: the model has not loaded within the startup budget",
        "raise startupBudgetSeconds, or read why it does not load: kubectl logs",
    ),
    _symptom(
        "readiness-probe-failed",
        "Unhealthy",
        r"^Readiness probe failed",
        "the readiness probe fails: the pod is not an endpoint of the Service",
        "check path and port of health.readiness; if the model is still loading, raise startupBudgetSeconds",
    ),
    _symptom(
        "liveness-probe-failed",
        "Unhealthy",
        r"^Liveness probe failed",
        "the liveness probe fails: the container is restarted each time",
        "check path and port of health.liveness; if the model is still loading, raise startupBudgetSeconds",
    ),
    _symptom(
        "run-failed",
        "BackoffLimitExceeded",
        r".",
        "the run failed more often than retries allow",
        "read the log of the last pod (kubectl logs), fix the cause, and start a new run with another runId",
    ),
    _symptom(
        "run-deadline-exceeded",
        "DeadlineExceeded",
        r".",
        "the run exceeded its deadline",
        "raise deadlineSeconds, or resume from a checkpoint",
    ),
    _symptom(
        "load-balancer-failed",
        "SyncLoadBalancerFailed",
        r".",
        "the cloud provider creates no load balancer for the Service",
        "read its message: a quota may be used up, or an annotation may be invalid",
    ),
    _symptom(
        "storage-class-not-found",
        "ProvisioningFailed",
        r'storageclass\S* "(?P<name>[^"]+)" not found',
        "the StorageClass {name} does not exist",
        "set storageClassName of the claim to an existing one: kubectl get storageclasses",
    ),
    _symptom(
        "provisioning-failed",
        "ProvisioningFailed",
        r".",
        "the StorageClass provisions no volume for the claim",
        "read its message: a quota may be used up, or the size, access mode or zone may not be supported",
    ),
    _symptom(
        "pod-evicted",
        "Evicted",
        r".",
        "the node ran out of resources and evicted the pod",
        "set requests to what the workload uses: pods above their requests are evicted first",
    ),
    _symptom(
        "pod-preempted",
        "Preempted",
        r".",
        "the scheduler preempted the pod in favor of pods with a higher priority",
        "set priorityClass, or resume from checkpoints",
    ),
)

# Reported by the state of a container, and by no event.
CONTAINER_OOM_KILLED = Kind(
    "container-oom-killed",
    "symptom",
    "container {container} was OOM-killed: its {memory_limit} is too low",
    "raise resources.limits.memory, or lower the memory use: smaller batches, fewer workers",
)
CONTAINER_CRASH_LOOPS = Kind(
    "container-crash-loops", "symptom", "container {container} crashes repeatedly ({exit})", "read its log: {command}"
)
CONTAINER_FAILED = Kind(
    "container-failed", "symptom", "container {container} failed ({exit})", "read its log: {command}"
)

KINDS = (*(symptom.kind for symptom in SYMPTOMS), CONTAINER_OOM_KILLED, CONTAINER_CRASH_LOOPS, CONTAINER_FAILED)


def recognize(reason: str, message: str) -> Message | None:
    """The meaning of an event or a state; None if no symptom matches."""
    for symptom in SYMPTOMS:
        match = symptom.pattern.search(message) if reason in symptom.reasons else None
        if match is not None:
            return symptom.kind(**{name: text or "" for name, text in match.groupdict().items()})
    return None
