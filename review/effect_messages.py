"""The messages about the effects of a change on what others use."""

from review.messages import REFERENCE_NOT_FOUND as REFERENCE_NOT_FOUND
from review.messages import Kind

REFERENCED_PART_NOT_FOUND_BY_PODS = Kind(
    "referenced-part-not-found-by-pods",
    "problem",
    "{target}: {field} references {part} of the {kind} {name}, which does not have it: its pods would not start",
    "add it, or correct the reference",
)
REFERENCED_PART_NOT_FOUND = Kind(
    "referenced-part-not-found",
    "warning",
    "{target}: {field} references {part} of the {kind} {name}, which does not have it",
    "add it, or correct the reference",
)
REFERENCE_DANGLING = Kind(
    "reference-dangling",
    "warning",
    "{target}: {field} references the {kind} {name}, which does not exist",
    "create it first, or correct the reference",
)
REFERENCE_LOST_BY_PODS = Kind(
    "reference-lost-by-pods",
    "warning",
    "{what} is removed, but {users} still use it: their pods fail at the next restart",
    "keep it until nothing references it, or update the references in the same change",
)
REFERENCE_LOST = Kind(
    "reference-lost",
    "warning",
    "{what} is removed, but {users} still reference it",
    "keep it until nothing references it, or update the references in the same change",
)
SELECTS_NOTHING = Kind(
    "selects-nothing",
    "warning",
    "{target} selects no pods any more; before: those of {before}",
    "adapt the selector to the labels of the pods, in the same change",
)
SELECTS_OTHERS = Kind(
    "selects-others",
    "warning",
    "{target} would also send requests to the pods of {pods}, which run other images than those of {before}",
    "use labels that only the pods of the Service have",
)
ADOPTS_PODS = Kind(
    "adopts-pods",
    "warning",
    "the selector of {target} also matches {pods}, which no controller owns: it adopts them, and deletes surplus pods",
    "use labels that only its own pods have",
)
BUDGETS_OVERLAP = Kind(
    "budgets-overlap",
    "warning",
    "the pods of {target} are selected by several disruption budgets, {budgets}: the API server rejects evictions",
    "select each pod by one budget only",
)
SCALED_TWICE = Kind(
    "scaled-twice",
    "warning",
    "{target} is scaled by several autoscalers, {autoscalers}, which undo each other's changes",
    "keep one of them",
)
SCALED_WITHOUT_REQUESTS = Kind(
    "scaled-without-requests",
    "warning",
    "{target} scales by a share of the requested {resource}, but the containers {containers} request none",
    "set the request, or scale by an average value",
)
SCALED_BY_UNKNOWN_CONTAINER = Kind(
    "scaled-by-unknown-container",
    "warning",
    "{target} scales by the use of the container {container}, which its pods do not have",
    "set the name of a container of the pods",
)
TARGET_PORT_LOST = Kind(
    "target-port-lost",
    "warning",
    "{target} sends requests to the port {port}, which {pods} no longer declares",
    "keep the port, or change the Service in the same change",
)
BACKEND_WITHOUT_PODS = Kind(
    "backend-without-pods",
    "warning",
    "{target} sends requests to {service}, which selects no pods",
    "deploy the pods first, or correct the name of the Service",
)
ROUTES_CONFLICT = Kind(
    "routes-conflict",
    "warning",
    "{routes} serve the same addresses: {addresses}",
    "use another host or path, or change the existing route",
)
VARIABLE_NOT_DEFINED = Kind(
    "variable-not-defined",
    "warning",
    "{target}: container {container} refers to variables that it does not define: {variables}",
    "define them in env, before the variables that refer to them",
)
VOLUMES_EXCEED_MEMORY = Kind(
    "volumes-exceed-memory",
    "warning",
    "{target}: the memory-backed volumes {volumes} can hold as much as the memory limit of container {container}, "
    "{limit}: it is OOM-killed before they are full",
    "raise the memory limit, or lower sizeLimit",
)
VOLUMES_EXCEED_STORAGE = Kind(
    "volumes-exceed-storage",
    "warning",
    "{target}: the volumes {volumes} can hold more than the limit of ephemeral storage, {limit}: the kubelet evicts "
    "the pod before they are full",
    "raise the limit of ephemeral-storage, or lower sizeLimit",
)
STARTUP_BUDGET_EXCEEDED = Kind(
    "startup-budget-exceeded",
    "warning",
    "{target}: container {container} is restarted unless it has started after {budget} s, but running pods took at "
    "least {measured} s",
    "raise failureThreshold of the startup probe",
)
STARTUP_PROBE_REMOVED = Kind(
    "startup-probe-removed",
    "warning",
    "{target}: without its startup probe, container {container} is restarted unless it is live after {budget} s; "
    "before: {before} s",
    "keep the startup probe",
)
DEADLINE_EXCEEDED = Kind(
    "deadline-exceeded",
    "warning",
    "{target}: a rollout fails after {deadline} s, but running pods took at least {measured} s to be ready",
    "raise progressDeadlineSeconds",
)
OFFER_REMOVED = Kind(
    "offer-removed",
    "warning",
    "{target}: {what} ({before}) is removed: clients that use it fail",
    "keep it until its clients have moved",
)
OFFER_CHANGED = Kind(
    "offer-changed",
    "warning",
    "{target}: {what} changes from {before} to {after} for all that use it",
    "create another object with the new value, and move its users one by one",
)
OPENED = Kind(
    "opened",
    "warning",
    "{target} accepts clients of more addresses: before {before}, after {after}",
    "limit loadBalancerSourceRanges to the addresses of its clients",
)
NARROWED = Kind(
    "narrowed",
    "warning",
    "{target} accepts clients of fewer addresses: before {before}, after {after}",
)
EXPOSED = Kind(
    "exposed",
    "warning",
    "{pods} can be reached {after}, through {via}; before: {before}",
    "use the type ClusterIP, unless clients outside of the cluster need it",
)
ADDRESS_LOST = Kind(
    "address-lost",
    "warning",
    "{what} is removed, but its address is still in the settings of {users}",
    "keep it until its clients have moved, or change them in the same change",
)
DEFAULT_REMOVED = Kind(
    "default-removed",
    "warning",
    "no {kind} is the default any more; before: {before}",
    "keep one default",
)
DEFAULTS_CONFLICT = Kind(
    "defaults-conflict",
    "warning",
    "more than one {kind} is the default: {classes}",
    "keep one default",
)
DEFAULT_ADDED = Kind(
    "default-added",
    "warning",
    "the {kind} {after} becomes the default of all pods that set none",
    "set it in the pods that need it",
)
DNS_LOST = Kind(
    "dns-lost",
    "warning",
    "NetworkPolicies no longer allow {pods} to query DNS: they cannot resolve any name",
    "allow egress to port 53 of kube-system, UDP and TCP",
)
CONNECTION_LOST = Kind(
    "connection-lost",
    "warning",
    "NetworkPolicies no longer allow {source} to connect to {destinations} on {ports}, which it uses",
    "allow the connection in a NetworkPolicy",
)
METADATA_OPENED = Kind(
    "metadata-opened",
    "warning",
    "{pods} can now connect to the metadata server of the node, 169.254.169.254, and use its credentials",
    "exclude 169.254.169.254/32 from the block of addresses",
)
CONNECTIONS_OPENED = Kind(
    "connections-opened",
    "warning",
    "{sources} can now connect to {destinations}",
    "allow only the namespaces and pods that need it",
)
RIGHTS_GAINED = Kind(
    "rights-gained",
    "warning",
    "{subject} may now {rights}: this leads to further permissions",
    "grant only what it needs, by name where possible",
)
RIGHTS_LOST = Kind(
    "rights-lost",
    "warning",
    "{subject}, which running pods use, may no longer {rights}",
    "keep the permission, unless the pods do not use it",
)
SECRET_IN_PLAIN_TEXT = Kind(
    "secret-in-plain-text",
    "warning",
    "{target} has what looks like a secret in plain text: {fields}",
    "store it in a Secret, and reference that",
)
INVALID_OBJECT = Kind(
    "invalid-object", "note", "effects on others, in part: an object has a missing or invalid field ({error})"
)

# Lines of the page.
OFFERED = Kind("offered", "page", "{what}: {after} (new)")
OFFER_NOW = Kind("offer-now", "page", "{what}: {before} → {after}")
NOT_OFFERED = Kind("not-offered", "page", "{what}: {before} → removed")
OBJECT_OFFERED = Kind("object-offered", "page", "new: {offers}")
OBJECT_NOT_OFFERED = Kind("object-not-offered", "page", "removed: {offers}")
CONNECTIONS_ADDED = Kind("connections-added", "page", "{sources} can now connect to {destinations} on {ports}")
CONNECTIONS_REMOVED = Kind(
    "connections-removed", "page", "{sources} can no longer connect to {destinations} on {ports}"
)
PERMISSIONS_ADDED = Kind("permissions-added", "page", "{subject} may now {rights}")
PERMISSIONS_REMOVED = Kind("permissions-removed", "page", "{subject} may no longer {rights}")

KINDS: tuple[Kind, ...] = tuple(
    value for value in list(globals().values()) if isinstance(value, Kind) and value is not REFERENCE_NOT_FOUND
)
"""All kinds of this module, in the order of their definition."""
