"""How it shows that something is wrong with a workload, what that means, and the fix."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Symptom:
    """How something shows, and what it means. ``{}`` of the texts are groups of the pattern."""

    reasons: frozenset[str]
    pattern: re.Pattern[str]
    what: str
    fix: str


def _symptom(reasons: str, pattern: str, what: str, fix: str) -> Symptom:
    return Symptom(frozenset(reasons.split()), re.compile(pattern, re.IGNORECASE | re.DOTALL), what, fix)


_PULLS = "Failed ErrImagePull ImagePullBackOff BackOff InvalidImageName ErrImageNeverPull InspectFailed"

# The first that matches counts: the precise ones before the general.
SYMPTOMS = [
    _symptom(
        "FailedCreate",
        r"exceeded quota: (?P<quota>\S+), requested: (?P<requested>.+?), used: (?P<used>.+?), limited: (?P<most>.+)$",
        "the namespace's ResourceQuota {quota} is full: {requested} asked for, {used} in use, {most} allowed",
        "lower replicas or resources, free some, or raise the team's quota",
    ),
    _symptom(
        "FailedCreate",
        r"failed quota: (?P<quota>[^:]+): must specify (?P<missing>[^;]+)",
        "the ResourceQuota {quota} wants every container to say {missing}",
        "set resources.requests and resources.limits of every container, those of init as well",
    ),
    _symptom(
        "FailedCreate",
        r'violates PodSecurity "(?P<level>[^:"]+)[^"]*": (?P<why>.+)$',
        "the namespace's Pod Security {level} refuses the pods: {why}",
        "remove the opt-out in security, or set the team's podSecurity to baseline",
    ),
    _symptom(
        "FailedCreate",
        r"no PriorityClass with name (?P<name>\S+) was found",
        "there is no PriorityClass {name}",
        "set priorityClass to one that exists (kubectl get priorityclasses), or remove it",
    ),
    _symptom(
        "FailedCreate",
        r'serviceaccount "(?P<name>[^"]+)" not found',
        "there is no ServiceAccount {name}",
        "set serviceAccount to one that exists, or remove it: the workload then gets its own",
    ),
    _symptom(
        "FailedCreate",
        r'RuntimeClass "(?P<name>[^"]+)" not found',
        "there is no RuntimeClass {name}",
        "set the node pool's runtimeClassName to one that exists, or remove it",
    ),
    _symptom(
        "FailedCreate",
        r"(maximum|minimum) (?P<resource>\S+) usage per (?P<of>\w+) is (?P<limit>[^,.]+)",
        "the namespace's LimitRange allows {limit} of {resource} per {of}",
        "change resources, or the team's containerLimits",
    ),
    _symptom(
        "FailedScheduling",
        r'persistentvolumeclaim "(?P<name>[^"]+)" not found',
        "there is no PersistentVolumeClaim {name}",
        "create the claim in the same namespace, or correct volumes.<name>.claim",
    ),
    _symptom(
        "FailedScheduling",
        r"unbound immediate PersistentVolumeClaims|didn't find available persistent volumes",
        "a PersistentVolumeClaim has no volume",
        "look at it with kubectl describe pvc: its StorageClass may not exist or have no capacity",
    ),
    _symptom(
        "FailedScheduling",
        r"Insufficient (?P<resource>[\w./-]*gpu[\w./-]*|\S+/mig-\S+?)[,. ]",
        "no node has a free {resource}: requests are what the scheduler sets aside, and all are set aside",
        "wait for a GPU or free one, lower gpus or replicas, or add nodes to the pool",
    ),
    _symptom(
        "FailedScheduling",
        r"Insufficient (?P<resource>cpu|memory|ephemeral-storage|pods)",
        "no node has enough free {resource} for the pod's requests",
        "lower resources.requests.{resource} to what the workload needs, or add nodes",
    ),
    _symptom(
        "FailedScheduling",
        r"(?=.*didn't match Pod's node affinity/selector).*had untolerated taint",
        "no node has both the labels that the pods select and only taints that they tolerate",
        "compare the node pool's nodeSelector and tolerations with kubectl describe nodes; it may be scaled to zero",
    ),
    _symptom(
        "FailedScheduling",
        r"had untolerated taint(\(s\)| \{(?P<taint>[^}:]+)[^}]*\})",
        "the nodes have taints that the pods do not tolerate: {taint}",
        "add them to the node pool's tolerations",
    ),
    _symptom(
        "FailedScheduling",
        r"didn't match Pod's node affinity/selector",
        "no node has the labels that the pods select",
        "compare the node pool's nodeSelector with kubectl get nodes --show-labels; it may be scaled to zero",
    ),
    _symptom(
        "FailedScheduling", r"no nodes available", "the cluster has no nodes", "add nodes, or wait for the autoscaler"
    ),
    _symptom("FailedScheduling", r".", "no node takes the pods", "see what the scheduler says of each node"),
    _symptom(
        "Failed CreateContainerConfigError",
        r'(?P<kind>secret|configmap) "(?P<name>[^"]+)" not found',
        "there is no {kind} {name}, from which a variable is taken",
        "create it in the same namespace, or correct secretEnv",
    ),
    _symptom(
        "Failed CreateContainerConfigError",
        r"couldn't find key (?P<key>\S+) in (?P<kind>secret|configmap) (?P<name>\S+)",
        "{kind} {name} has no key {key}, from which a variable is taken",
        "add the key, or correct secretEnv",
    ),
    _symptom(
        "InvalidImageName Failed InspectFailed",
        r"(couldn't parse image|InvalidImageName|invalid reference)",
        "the image's name is no image reference",
        "correct image: [registry/]path[:tag], the path in lower case",
    ),
    _symptom(
        _PULLS,
        r"(unauthorized|authentication required|denied|no basic auth credentials|\b40[13]\b)",
        "the registry does not let the node have the image",
        "name the registry's credentials in imagePullSecrets, and check the image's name: some say the same of a typo",
    ),
    _symptom(
        _PULLS,
        r"(not found|manifest unknown|does not exist|\b404\b)",
        "the registry has no such image",
        "correct the image's path or tag",
    ),
    _symptom(
        _PULLS,
        r"(pull|image)",
        "the node cannot pull the image",
        "check that the registry can be reached from the nodes, and the image's name",
    ),
    _symptom(
        "FailedMount FailedAttachVolume",
        r'(?P<kind>secret|configmap) "(?P<name>[^"]+)" not found',
        "there is no {kind} {name}, which the pods mount",
        "create it in the same namespace, or correct volumes",
    ),
    _symptom(
        "FailedAttachVolume",
        r"Multi-Attach error",
        "a ReadWriteOnce claim is mounted on another node already",
        "use a claim with ReadWriteMany or ReadOnlyMany, or one replica with rollout: replace",
    ),
    _symptom(
        "FailedMount FailedAttachVolume",
        r".",
        "a volume cannot be mounted",
        "see what the node says of it, and correct volumes",
    ),
    _symptom(
        "Unhealthy",
        r"^Startup probe failed",
        "the startup probe is failing: the model has not loaded when the startup budget ends",
        "raise startupBudgetSeconds, or fix what keeps it from loading: kubectl logs",
    ),
    _symptom(
        "Unhealthy",
        r"^Readiness probe failed",
        "the readiness probe is failing: the pod is kept out of the Service's endpoints",
        "check health.readiness's path and port against the server; a model that still loads wants more startupBudgetSeconds",
    ),
    _symptom(
        "Unhealthy",
        r"^Liveness probe failed",
        "the liveness probe is failing: the container is restarted each time",
        "check health.liveness's path and port; where the model still loads, raise startupBudgetSeconds",
    ),
    _symptom(
        "BackoffLimitExceeded",
        r".",
        "the run failed more often than retries allow",
        "read the last pod's log (kubectl logs), fix the cause, then start a new run with another runId",
    ),
    _symptom(
        "DeadlineExceeded",
        r".",
        "the run took longer than its deadline",
        "raise deadlineSeconds, or make it faster and resume from checkpoints",
    ),
    _symptom(
        "SyncLoadBalancerFailed",
        r".",
        "the cloud gives the Service no load balancer",
        "see what it says: a quota of the cloud, or annotations that it does not know",
    ),
    _symptom(
        "ProvisioningFailed",
        r'storageclass\S* "(?P<name>[^"]+)" not found',
        "there is no StorageClass {name}",
        "set the claim's storageClassName to one that exists: kubectl get storageclasses",
    ),
    _symptom(
        "ProvisioningFailed",
        r".",
        "the StorageClass makes no volume for the claim",
        "see what it says: a quota of the cloud, or a size, access mode or zone that it does not have",
    ),
    _symptom(
        "Evicted",
        r".",
        "the node ran short and evicted the pod",
        "set requests to what it uses: pods above theirs go first",
    ),
    _symptom(
        "Preempted",
        r".",
        "pods of a higher priority took its place",
        "give it a priorityClass, or let checkpoints carry it over",
    ),
]


def recognized(reason: str, message: str) -> tuple[str, str] | None:
    """What a message of the cluster means, and the fix; None where no symptom is known for it."""
    for symptom in SYMPTOMS:
        match = symptom.pattern.search(message) if reason in symptom.reasons else None
        if match is not None:
            groups = {name: text or "" for name, text in match.groupdict().items()}
            return symptom.what.format(**groups), symptom.fix.format(**groups)
    return None
