"""The messages of a review. Each kind has a stable code, a text and, where one exists, a fix.

Tests and programs refer to codes. An example of every message is recorded in tests/review/messages.txt.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Group = Literal["problem", "warning", "note", "reason", "change", "effect", "page", "symptom"]
"""A problem blocks the change; a warning needs attention; a note states what was not checked, a reason why. A change
and its effect describe an interruption, pages are composed of the rest, and symptoms explain a failed update."""


@dataclass(frozen=True)
class Kind:
    """One kind of message."""

    code: str
    group: Group
    text: str
    """``{name}`` stands for a value."""

    fix: str = ""
    """How to resolve it: an imperative clause without a period."""

    def __call__(self, **values: object) -> "Message":
        """A message of this kind."""
        return Message(self, values)


@dataclass(frozen=True)
class Message:
    """A message with its values, some of which may be messages."""

    kind: Kind
    values: Mapping[str, object]

    @property
    def code(self) -> str:
        """The stable code of its kind."""
        return self.kind.code

    @property
    def text(self) -> str:
        """What it states, without the fix."""
        texts = {name: value.text if isinstance(value, Message) else value for name, value in self.values.items()}
        return self.kind.text.format(**texts)

    @property
    def fix(self) -> str:
        """How to resolve it; that of the reason if it has no fix itself; empty if there is none."""
        reason = self.values.get("reason")
        return self.kind.fix.format(**self.values) or (reason.fix if isinstance(reason, Message) else "")

    def __str__(self) -> str:
        fix = self.fix
        return f"{self.text}. Fix: {fix}" if fix else self.text


# Problems: the change would fail, or is denied.
PREVIEW_FAILED = Kind("preview-failed", "problem", "{error}")
POLICY_SETTINGS_INVALID = Kind("policy-settings-invalid", "problem", "{error}")
POLICY_VIOLATED = Kind("policy-violated", "problem", "{target} {violation} (rule {rule})", "{fix}")
QUOTA_EXCEEDED = Kind(
    "quota-exceeded",
    "problem",
    "{target} allows {hard} of {resource}, but up to {used} would be in use: the API server would reject pods",
    "lower replicas or resources, or raise the quota of the team",
)
KIND_NOT_SERVED = Kind(
    "kind-not-served",
    "problem",
    "the cluster does not serve {kind} of {version}",
    "install the operator or the CustomResourceDefinition that provides it",
)
PERMISSION_DENIED = Kind(
    "permission-denied",
    "problem",
    "this user cannot {verb} {resource} in {scope}",
    "grant the permission with a role binding, or deploy as another user",
)
NAMESPACE_NOT_FOUND = Kind(
    "namespace-not-found",
    "problem",
    "{target}: the namespace {namespace} does not exist",
    "create the namespace, or correct its name",
)
ADMISSION_DENIED = Kind("admission-denied", "problem", "{target}: admission would deny its pods: {reason}")
REFERENCE_NOT_FOUND = Kind(
    "reference-not-found",
    "problem",
    "{target}: {field} references the {kind} {name}, which does not exist: its pods would not start",
    "create it first, or correct the reference",
)
OBJECT_RECREATED = Kind(
    "object-recreated",
    "problem",
    "{target} would be created as {new} and deleted as {old}, which are one object: it would be gone",
    "set formerly on the renamed entry, in a program an alias on the component",
)

# Warnings: the change may not have the intended result.
PREVIEW_WARNING = Kind("preview-warning", "warning", "{warning}")
NODE_LABELS_NOT_FOUND = Kind(
    "node-labels-not-found",
    "warning",
    "{target}: no node has the labels {labels}: unless the node pool scales from zero, its pods stay Pending",
    "compare the nodeSelector of the node pool with kubectl get nodes --show-labels",
)
TAINT_NOT_TOLERATED = Kind(
    "taint-not-tolerated",
    "warning",
    "{target}: every node with the labels {labels} has a taint that its pods do not tolerate",
    "add the taint to the tolerations of the node pool",
)
ADOPTED = Kind(
    "adopted",
    "warning",
    "{target} exists, and is adopted. Fields that change: {fields}",
)
NAMESPACE_CONTENTS = Kind(
    "namespace-contents",
    "warning",
    "the deletion of the namespace {namespace} also deletes {contents}",
    "move what has to stay, or set onDelete: retain before you remove the team",
)

# Notes: what was not checked.
CLUSTER_NOT_CHECKED = Kind(
    "cluster-not-checked", "note", "the cluster (live objects, permissions, admission, references, nodes): {reason}"
)
LIVE_STATE_NOT_CHECKED = Kind("live-state-not-checked", "note", "the live state of {target}: {reason}")
KIND_NOT_CHECKED = Kind("kind-not-checked", "note", "whether the cluster serves {kind} of {version}: {reason}")
PERMISSION_NOT_CHECKED = Kind(
    "permission-not-checked", "note", "the permissions to change {kind} of {version}: {reason}"
)
PERMISSIONS_NOT_CHECKED = Kind("permissions-not-checked", "note", "the permissions of the deployment: {reason}")
WORKLOAD_NOT_CHECKED = Kind("workload-not-checked", "note", "{target} against the cluster: {reason}")
ADMISSION_NOT_CHECKED = Kind("admission-not-checked", "note", "the admission of the pods of {target}: {reason}")
REFERENCE_NOT_CHECKED = Kind(
    "reference-not-checked", "note", "whether the {kind} {name}, which {target} references, exists: {reason}"
)
NODES_NOT_CHECKED = Kind("nodes-not-checked", "note", "the nodes for {target}: {reason}")
OTHER_PODS_NOT_CHECKED = Kind(
    "other-pods-not-checked", "note", "pods of others in {namespace}, which use its quota too: {reason}"
)
ADOPTION_NOT_CHECKED = Kind("adoption-not-checked", "note", "whether {target} exists, and is adopted: {reason}")
NAMESPACE_CONTENTS_NOT_CHECKED = Kind(
    "namespace-contents-not-checked", "note", "the contents of the deleted namespace {namespace}: {reason}"
)
QUOTA_NOT_CHECKED = Kind("quota-not-checked", "note", "the quota of {namespace}: {reason}")

# Reasons of notes.
NOT_QUERIED = Kind("not-queried", "reason", "not queried")
UNANSWERED = Kind("unanswered", "reason", "the cluster did not answer: {error}")
UNREACHABLE = Kind("unreachable", "reason", "it cannot be queried: {error}")
FORBIDDEN = Kind("forbidden", "reason", "this user has no permission to check it")
READ_ONLY_USER = Kind(
    "read-only-user", "reason", "this user cannot change any of the objects: another user runs the deployment"
)
UNKNOWN_VALUES = Kind("unknown-values", "reason", "it depends on values that are unknown before the update")
NAMESPACE_CREATED = Kind("namespace-created", "reason", "the same change creates its namespace")
DENIAL_MAY_CHANGE = Kind(
    "denial-may-change",
    "reason",
    "they are denied at present, but this change updates {changed}, which decides it: {reason}",
)
UNRECOGNIZED_DENIAL = Kind("unrecognized-denial", "reason", "{error}")

# Changes that interrupt something, and their effects.
DELETED = Kind("deleted", "change", "deleted")
REPLACED = Kind("replaced", "change", "replaced because of {fields}")
LOAD_BALANCER_REMOVED = Kind("load-balancer-removed", "change", "no longer a load balancer")
SCALED_TO_ZERO = Kind("scaled-to-zero", "change", "scaled to zero")
SUSPENDED = Kind("suspended", "change", "suspended")
DEADLINE_LOWERED = Kind("deadline-lowered", "change", "stopped {seconds} seconds after its start")
POD_TEMPLATE_CHANGED = Kind("pod-template-changed", "change", "new pod template")

NAMESPACE_CONTENTS_DELETED = Kind("namespace-contents-deleted", "effect", "all objects in the namespace are deleted")
DATA_DELETED = Kind("data-deleted", "effect", "its data is deleted, unless the storage class retains volumes")
ADDRESS_RELEASED = Kind("address-released", "effect", "the address {address} is released")
CLUSTER_IP_RELEASED = Kind(
    "cluster-ip-released", "effect", "its cluster IP is released: clients lose their connections"
)
RUNNING_JOB_TERMINATED = Kind(
    "running-job-terminated", "effect", "{pods} of a running job terminated: progress since the last checkpoint is lost"
)
RUNNING_POD_TERMINATED = Kind(
    "running-pod-terminated",
    "effect",
    "its pod, in the phase {phase}, is terminated: progress since the last checkpoint is lost",
)
STOPPED_AT_DEADLINE = Kind(
    "stopped-at-deadline", "effect", "{pods} terminated then, finished or not: the run counts as failed"
)
FINISHED_RUN_REPEATED = Kind("finished-run-repeated", "effect", "it has finished, and runs again")
OUTAGE = Kind("outage", "effect", "{pods} terminated at the same time: no requests are served until new pods are ready")
SERVING_STOPPED = Kind("serving-stopped", "effect", "{pods} terminated: no requests are served")
ROLLING_UPDATE = Kind("rolling-update", "effect", "rolling update of {pods}")

# Sentences of the page.
BLOCKED = Kind("blocked", "page", "would fail or is denied: {problems}")
ATTENTION = Kind("attention", "page", "review before you approve")
ATTENTION_INTERRUPTIONS = Kind("attention-interruptions", "page", "review before you approve: {interruptions}")
CLEAR = Kind("clear", "page", "no interruptions")
UNCHANGED = Kind("unchanged", "page", "no changes")
STACK_UP_TO_DATE = Kind("stack-up-to-date", "page", "The deployed stack is up to date.")
RESOURCES_OMITTED = Kind("resources-omitted", "page", "{resources} with a smaller share not shown.")
GPUS_WITHOUT_PRICE = Kind(
    "gpus-without-price",
    "page",
    "{when}{gpus} without a price: no node pool that they select sets hourlyCost. The cost excludes {workloads}.",
)
GPUS_UNKNOWN = Kind(
    "gpus-unknown", "page", "Excluded, because the number of GPUs is unknown before the update: {workloads}."
)
ADVISORY_FINDING = Kind("advisory-finding", "page", "{target} {violation}. {reason}. {fix}. ({rule}, {level})")
EARLIER_FINDINGS = Kind("earlier-findings", "page", "{findings} that this change does not introduce.")
EXEMPTED = Kind("exempted", "page", "{target} is exempt from {rule} until {until}: {reason}")
UNDETERMINED = Kind("undetermined", "page", "Unknown before the update, and checked then: {rules}.")
ENTRIES_OMITTED = Kind("entries-omitted", "page", "{rows} omitted, to stay within the limit of a comment.")
SECTIONS_OMITTED = Kind(
    "sections-omitted", "page", "{sections} omitted, to stay within the limit of a comment: {titles}"
)
CHARACTERS_OMITTED = Kind("characters-omitted", "page", "({characters} omitted)")

KINDS: tuple[Kind, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Kind))
"""All kinds, in the order of their definition; those of the symptoms are in review.symptoms."""


def counted(count: int, noun: str) -> str:
    """A number with its noun: ``1 pod``, ``2 pods``."""
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"
