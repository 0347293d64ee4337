"""The messages of a change that was tried on a twin of the cluster."""

from review.messages import Kind

# Problems: the change would fail, or leave something that does not work.
APPLY_REJECTED = Kind("apply-rejected", "problem", "{target}: the API server rejects it: {error}")
PATCH_WITHOUT_OBJECT = Kind(
    "patch-without-object",
    "problem",
    "{target}: the object that the patch changes does not exist",
    "create the object first, or correct its name",
)
DELETE_REJECTED = Kind("delete-rejected", "problem", "{target}: the API server rejects its deletion: {error}")
DELETE_STUCK = Kind(
    "delete-stuck",
    "problem",
    "{target}: it stays Terminating because of {finalizers}, and the update fails after {timeout}",
    "delete first what uses it, or what its finalizer waits for",
)
DELETE_WITHOUT_CONTROLLER = Kind(
    "delete-without-controller",
    "warning",
    "{target}: a controller removes its finalizer {finalizers}, and the change also deletes {workloads}: if the "
    "controller is one of these, the object stays Terminating",
    "delete the object in an update of its own, before the controller",
)
PODS_MISSING = Kind("pods-missing", "warning", "{target}: {ready} of {wanted} pods become ready: {reason}")
UPDATE_STUCK = Kind(
    "update-stuck",
    "problem",
    "{target}: {ready} of {wanted} pods become ready, and the update fails after {timeout}: {reason}",
)
SERVICE_STUCK = Kind(
    "service-stuck",
    "problem",
    "{target}: it has no ready endpoint, and the update fails after {timeout}",
    "compare its selector with the labels of the pods",
)
SERVICE_LOST_ENDPOINTS = Kind(
    "service-lost-endpoints",
    "problem",
    "{target}: it had {count} ready endpoints, and has none after the change",
    "compare its selector with the labels of the pods",
)
OBJECT_REMOVED = Kind(
    "object-removed",
    "problem",
    "{target}: a controller of Kubernetes deletes it as soon as it is applied",
    "correct what it belongs to: the owner in ownerReferences, or the ServiceAccount of a token",
)
CLAIM_UNBOUND = Kind("claim-unbound-in-twin", "problem", "{target}: it is not bound: {reason}")
JOB_FAILED = Kind("job-failed", "problem", "{target}: it fails: {reason}")
AUTOSCALER_FAILED = Kind("autoscaler-failed", "problem", "{target}: it cannot scale: {reason}")
OBJECTS_LOST = Kind(
    "objects-lost", "problem", "{cause}: {objects} would be gone, which the stack does not delete", "move them first"
)
DATA_LOST = Kind(
    "data-lost",
    "problem",
    "{target}: its volume {volume} with {size} is deleted with it: the reclaim policy is Delete",
    "set persistentVolumeReclaimPolicy of the volume to Retain first, or copy the data",
)

# Warnings: it works, but at a price.
SERVICE_AT_ZERO = Kind(
    "service-at-zero",
    "warning",
    "{target}: no endpoint is ready for about {duration} during the update",
    "run two replicas or more, and roll out with maxUnavailable: 0 or a surge",
)
POD_DISRUPTED = Kind("pod-disrupted", "warning", "{target}: {pods} of it {disruption}, although it is not changed")
RESTART_FAILS = Kind(
    "restart-fails",
    "problem",
    "{target}: its pods run now, but after the change a restarted pod would be rejected: {reason}",
)
NEXT_VERSION_STUCK = Kind(
    "next-version-stuck", "warning", "{target}: the rollout of the next version would not finish: {reason}"
)
NEXT_VERSION_OUTAGE = Kind(
    "next-version-outage",
    "warning",
    "{target}: no endpoint is ready for about {duration} when the next version of {workload} rolls out",
    "run two replicas or more, and roll out with maxUnavailable: 0 or a surge",
)
DRAIN_BLOCKED = Kind(
    "drain-blocked",
    "warning",
    "{target}: its pods cannot be evicted, and a drain of their node never ends: {error}",
    "allow at least one disruption: lower minAvailable, raise maxUnavailable, or add a replica",
)
NOT_CONVERGENT = Kind(
    "not-convergent",
    "warning",
    "{target}: the next update would change it again: {fields}",
    "set the value that the cluster sets, or leave the field out",
)
NOT_CONVERGENT_CONFLICT = Kind(
    "not-convergent-conflict", "warning", "{target}: the next update would be rejected: {error}"
)
REPLICAS_AND_AUTOSCALER = Kind(
    "replicas-and-autoscaler",
    "warning",
    "{target} sets replicas, and {autoscaler} scales it: every update resets the number",
    "remove replicas from the workload",
)

# Notes: what was not tried.
NOT_PLAYED = Kind("not-played", "note", "{target} was not tried on the twin: {reason}")
PLAYED_WITHOUT = Kind(
    "played-without", "note", "{target} was tried on the twin without {fields}, unknown before the update"
)
REJECTED_WITHOUT = Kind(
    "rejected-without", "note", "{target} was not tried on the twin: {fields} are unknown before the update ({error})"
)
DELETE_NEEDS_CONTROLLER = Kind(
    "delete-needs-controller",
    "note",
    "{target} stays Terminating on the twin: a controller that does not run there removes {finalizers}",
)
VOLUME_RETAINED = Kind("volume-retained", "note", "{target}: its volume {volume} is kept (reclaim policy Retain)")

# Reasons.
NAME_UNKNOWN = Kind("name-unknown", "reason", "its name is unknown before the update")
NO_POD_CREATED = Kind("no-pod-created", "reason", "its controller creates no pod")
NO_ENDPOINT_READY = Kind("pod-not-ready", "reason", "its pods do not become ready")
UNRECOGNIZED = Kind("unrecognized", "reason", "{text}")
TARGET_NOT_FOUND = Kind("scale-target-not-found", "reason", "its target {target} does not exist")
REQUESTS_MISSING = Kind("scale-requests-missing", "reason", "{resource} has no request in container {container}")
TARGET_SHARED = Kind("scale-target-shared", "reason", "{other} scales the same target")

# Sentences of the page.
SERVICES_UNCHANGED = Kind("services-unchanged", "page", "{services} without a change of ready endpoints.")
# Notes: how the twin differs from the cluster.
KINDS_NOT_COPIED = Kind("kinds-not-copied", "note", "the twin has no {kinds}: {reason}")
SECRETS_NOT_COPIED = Kind("secrets-not-copied", "note", "the Secrets and their keys are unknown: {reason}")
SECRET_KEYS_NOT_COPIED = Kind(
    "secret-keys-not-copied", "note", "the keys of {secrets} are unknown: their managed fields do not list them"
)
VERSION_DIFFERS = Kind(
    "version-differs", "note", "the cluster runs Kubernetes {version}, and the twin {twin}, whose behavior may differ"
)
WEBHOOKS_NOT_CALLED = Kind("webhooks-not-called", "note", "the twin calls no admission webhooks: {webhooks}")
CONVERSION_NOT_CALLED = Kind(
    "conversion-not-called", "note", "the twin calls no conversion webhooks, and does not convert {kinds}"
)
FINALIZERS_NOT_COPIED = Kind(
    "finalizers-not-copied", "note", "the controllers of these finalizers do not run on the twin: {finalizers}"
)
NAMESPACES_TERMINATING = Kind("namespaces-terminating", "note", "the deletion of {namespaces} has not finished")
NODES_NOT_COPIED = Kind("nodes-not-copied", "note", "the twin cannot schedule pods: {reason}")
NODES_ASSUMED = Kind(
    "nodes-assumed",
    "note",
    "the node pool {pool} has no node: new nodes of the twin have {resources}",
    "set autoscaling.allocatable of the node pool",
)
TWIN_NOT_SETTLED = Kind("twin-not-settled", "note", "the controllers of the twin were not idle after {timeout}")
TWIN_NOT_STARTED = Kind("twin-not-started", "note", "the change was not tried on a twin of the cluster: {reason}")
PRERELEASE_VERSION = Kind("prerelease-version", "reason", "its API is a pre-release, which depends on the version")

KINDS: tuple[Kind, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Kind))
"""All kinds, in the order of their definition."""
