"""The table of errors: every kind once, with its code, its message and its fix.

Codes are stable: tests, scripts and ``docs/reference/errors.md``, which is written from this table, refer to
them. Messages may be improved at any time. ``{name:example}`` stands for a value of the error; the example is
what the list of errors shows.
"""

import re

from .errors import ErrorKind

# A message and a fix are one line each.
# fmt: off
TABLE: dict[str, ErrorKind] = {}
"""All kinds of error by code."""


def _kind(code: str, message: str, fix: str | None = None) -> ErrorKind:
    if code in TABLE:
        raise ValueError(f"two kinds of error have the code {code}")
    return TABLE.setdefault(code, ErrorKind(code, message, fix))


# What pydantic finds
REQUIRED = _kind("required", "is required")
UNKNOWN_KEY = _kind("unknown-key", "is not a known key", "{fix:known keys: env, image}")
OUT_OF_RANGE = _kind("out-of-range", "must be {bound:at least 1}{got: (got 0)}")
WRONG_TYPE = _kind("wrong-type", "must be {type:an integer}{got: (got 'three')}")
NOT_ONE_OF = _kind("not-one-of", "must be one of {expected:'a' or 'b'}{got: (got 'c')}")
LENGTH = _kind("length", "must have {bound:at least 1 entry}{got}")
INVALID = _kind("invalid", "{reason:string should match pattern '^/'}{got: (got 'health')}")


def _of(kind: ErrorKind, **given: str) -> ErrorKind:
    """A kind with a part of its message filled in: pydantic's own context fills the rest."""
    message = kind.message
    for name, text in given.items():
        message = re.sub(rf"{{{name}(:[^}}]*)?}}", text, message)
    return ErrorKind(kind.code, message)


PYDANTIC = {
    "missing": REQUIRED,
    "extra_forbidden": _of(UNKNOWN_KEY),
    "greater_than_equal": _of(OUT_OF_RANGE, bound="at least {ge}"),
    "greater_than": _of(OUT_OF_RANGE, bound="greater than {gt}"),
    "less_than_equal": _of(OUT_OF_RANGE, bound="at most {le}"),
    "less_than": _of(OUT_OF_RANGE, bound="less than {lt}"),
    "finite_number": _of(OUT_OF_RANGE, bound="finite"),
    **dict.fromkeys(("int_parsing", "int_type", "int_from_float"), _of(WRONG_TYPE, type="an integer")),
    **dict.fromkeys(
        ("float_parsing", "float_type", "decimal_parsing", "decimal_type"), _of(WRONG_TYPE, type="a number")
    ),
    **dict.fromkeys(("bool_parsing", "bool_type"), _of(WRONG_TYPE, type="true or false")),
    "string_type": _of(WRONG_TYPE, type="a string"),
    **dict.fromkeys(("list_type", "tuple_type"), _of(WRONG_TYPE, type="a list")),
    **dict.fromkeys(
        ("dict_type", "mapping_type", "model_type", "model_attributes_type"), _of(WRONG_TYPE, type="a mapping")
    ),
    **dict.fromkeys(("literal_error", "enum"), NOT_ONE_OF),
    "too_short": _of(LENGTH, bound="at least {min_length} entries"),
    "too_long": _of(LENGTH, bound="at most {max_length} entries"),
}
"""pydantic's types of error, as kinds of this table."""

# Combinations of arguments
EXACTLY_ONE = _kind("exactly-one-of",
    "exactly one of {options:claim, image and download} must be set (got {given:claim and image})",
    "set one of them and no other")
MUTUALLY_EXCLUSIVE = _kind("mutually-exclusive",
    "{argument:replicas} and {other:autoscale} are mutually exclusive: {reason:the autoscaler sets the number of pods}",
    "{fix:set autoscale.min, and remove replicas}")
REQUIRES = _kind("requires",
    "requires {requirement:type: NodePort}",
    "set {requirement:type: NodePort}, or remove {argument:nodePort}")
DERIVED = _kind("derived",
    "is derived from {source:startupBudgetSeconds}",
    "remove it, and set {source:startupBudgetSeconds} instead")
MANAGED = _kind("managed", "is set by the {component:TrainingJob}", "remove it")
EXCEEDS = _kind(
    "exceeds", "{given:16} exceeds {bound:limits.cpu}, which is {limit:8}", "lower it, or raise {bound:limits.cpu}"
)

# Names and references
NAME_INVALID = _kind(
    "name-invalid", "{name!r:'BERT_v1'} is invalid: it must consist of {rule:lower-case letters, digits and '-'}"
)
RESERVED = _kind("reserved", "{name!r:'kube-system'} is reserved for {owner:Kubernetes}", "choose another name")
GROUP_RESERVED = _kind("group-reserved",
    "{name!r:'system:masters'} is a group that Kubernetes reserves",
    "use a group of your identity provider")
NAME_TAKEN = _kind("name-taken", "{name!r:'stage'} is already used by {owner:an init container}", "choose another name")
NOT_FOUND = _kind("not-found",
    "there is no {kind:team} {name!r:'nlp'} (the stack has {known:ml-serving and ml-training})",
    "{fix:add the team to the stack}")
NO_SUCH_CHOICE = _kind("no-such-choice",
    "there is no {kind:preset} {name!r:'gke/nvidia-l5'}",
    "use one of {choices:gke/nvidia-l4 and gke/nvidia-h100-80gb}")
REFERENCE_BY_NAME = _kind("reference-by-name",
    "{name!r:'nlp'} is a name: only a stack's configuration refers to a {type:TeamNamespace} by its name",
    "pass the {type:TeamNamespace} object")
FOREIGN_TEAM = _kind("foreign-team",
    "{name!r:'nlp'} is not a TeamNamespace of this program",
    "set namespace to its namespace instead of team")
IMAGE_INVALID = _kind(
    "image-invalid", "{image!r:'Bert:v1'} is not a valid image reference: {reason:the path must be in lower case}"
)
IMAGE_MISSING = _kind(
    "image-missing", "neither the workload nor its node pool sets an image", "set image, or a nodePool that has one"
)
IMAGE_PREFIX_INVALID = _kind(
    "image-prefix-invalid",
    "{prefix!r:'https://ghcr.io'} is not the prefix of an image reference: {reason:it must be a registry, a path in one, or a repository, such as ghcr.io/acme}",
)
CANARY_NAME_TOO_LONG = _kind("canary-name-too-long",
    "{name!r:'bert-canary'}, the name for the canary, is longer than {limit:63} characters",
    "shorten it, or remove the canary")

# Quantities and resources
QUANTITY_INVALID = _kind("quantity-invalid", "{quantity!r:'16GB'} is not a Kubernetes quantity such as 2, 500m or 8Gi")
QUANTITY_FRACTION = _kind(
    "quantity-fraction", "{quantity:1500m} is not a whole number of {unit:bytes}", "{fix:the suffix m means milli}"
)
QUANTITY_ZERO = _kind("quantity-zero", "must be greater than 0 (got 0)")
RESOURCE_UNKNOWN = _kind(
    "resource-unknown", "{resource!r:'gpu'} is not a resource of {of:a container}", "use {choices:cpu and memory}"
)
REQUEST_NOT_LIMIT = _kind("request-not-limit",
    "the request must equal the limit, since {resource:hugepages-2Mi} cannot be overcommitted",
    "set limits.{resource:hugepages-2Mi} to {request:1Gi}, or only the limit")
DEVICE_WITHOUT_DOMAIN = _kind(
    "device-without-domain", "{resource!r:'gpu'} is not a device plugin's resource: its name must have a domain"
)
GPU_DEFAULT = _kind("gpu-default",
    "GPUs have neither a default nor a maximum per container",
    "set requests.{resource:nvidia.com/gpu} in the quota")
QUOTA_KEY_WITHOUT_GROUP = _kind(
    "quota-key-without-group", "{name:count/jobs} counts nothing: the kind is in the API group {group:batch}"
)
QUOTA_COUNTS_REQUESTS = _kind(
    "quota-counts-requests", "a ResourceQuota counts {resource:nvidia.com/gpu} by its requests only"
)
COUNT_OR_PERCENTAGE = _kind("count-or-percentage", "must be a number of pods, at least 1, or a percentage such as 25%")

# Pods
MOUNT_PATH_ROOT = _kind("mount-path-root", "a volume at {path:/} would hide the image's file system")
MOUNT_PATH_TAKEN = _kind(
    "mount-path-taken", "{path:/tmp} is already the mount path of {owner:volume data}", "choose another path"
)
SINGLE_NODE_VOLUME = _kind("single-node-volume",
    "only the pods of one node can mount a {mode:ReadWriteOnce} volume, not {users:3 pods}",
    "{fix:use a claim that is ReadWriteMany or ReadOnlyMany and set accessMode, or set replicas to 1}")
INIT_WITHOUT_RESOURCES = _kind("init-without-resources",
    "must set requests or limits: a ResourceQuota rejects pods that have a container without",
    "set cpu and memory")
PORT_NOT_OPEN = _kind(
    "port-not-open", "no container listens on port {port:9090}", "set it to {open:8080}, or remove it"
)
BUDGET_EXHAUSTED = _kind("budget-exhausted",
    "a delay of {seconds:60} s leaves nothing of startupBudgetSeconds, which is {budget:60}",
    "lower it, or raise startupBudgetSeconds")

# Networks
CIDR_INVALID = _kind(
    "cidr-invalid", "{cidr!r:'10.0.0.0'} is not a CIDR block such as 10.0.0.0/8: {reason:it has no prefix length}"
)
METADATA_SERVER = _kind("metadata-server",
    "{cidr:169.254.169.254/32} is the cloud's metadata server",
    "set cloudMetadata: true, or remove it")

# What a team's namespace denies
QUOTA_EXCEEDED = _kind("quota-exceeded",
    "{total:10} of {resource:requests.nvidia.com/gpu} would be in use, and the quota is {hard:8}: {shares:TrainingJob bert 10}",
    "lower replicas, workers or resources of a workload, or raise the quota to {total:10}")
SERVING_NOT_ALLOWED = _kind("serving-not-allowed",
    "{total:1} of {resource:services.loadbalancers} would be in use, and the team does not serve: {shares:ModelService bert 1}",
    "set serves: true for a team that is reached from outside the cluster, or use type: ClusterIP")
PRIORITY_CLASS_NOT_ALLOWED = _kind("priority-class-not-allowed",
    "the team may not use the PriorityClass {name:high}",
    "add it to the team's priorityQuotas, or use another one")
POD_SECURITY_VIOLATED = _kind("pod-security-violated",
    "{reason:its containers run as root}, which Pod Security {level:restricted} denies",
    "remove it, or set the team's podSecurity to {needed:baseline}")
REGISTRY_NOT_ALLOWED = _kind("registry-not-allowed",
    "{image:docker.io/bert:v1} is from none of the team's registries ({registries:ghcr.io/acme})",
    "use an image of one of them, or add its registry to them")
MEMORY_VOLUME_TOO_LARGE = _kind("memory-volume-too-large",
    "a memory-backed volume of {size:2Gi} counts as memory of the container, and one without a limit is limited to {limit:1Gi} by the team's containerLimits",
    "set resources.limits.memory")
RESOURCES_MISSING = _kind("resources-missing",
    "container {container:trainer} does not set {missing:limits.cpu}, which the team's quota counts",
    "set it, or the team's containerLimits.default")
CONTAINER_LIMIT_EXCEEDED = _kind("container-limit-exceeded",
    "container {container:trainer} has a limit of {limit:64Gi} of {resource:memory}, above the team's maximum of {maximum:32Gi}",
    "lower it, or raise the team's containerLimits.max")
DEFAULT_LIMIT_EXCEEDED = _kind("default-limit-exceeded",
    "container {container:trainer} requests {request:4Gi} of {resource:memory} without a limit, and the default limit is {limit:1Gi}",
    "set resources.limits.{resource:memory}, or raise the team's containerLimits.default.{resource:memory}")

# Workloads of one stack
SELECTOR_CONFLICT = _kind("selector-conflict",
    "the app label {app!r:'bert'} also selects the pods of {other:bert-2} in the same namespace",
    "set a different app label for each workload")
OBJECT_CONFLICT = _kind("object-conflict",
    "the {kind:Service} {name!r:'api'} of {other:bert} is in the same namespace",
    "{fix:choose another name}")

# Files and configuration
UNKNOWN_FILE_KEY = _kind("unknown-file-key",
    "{keys:confg} is not a key of a stack's file",
    "write the configuration below config: (known keys: {known:config and encryptionsalt})")
FILE_NOT_FOUND = _kind("file-not-found", "there is no such file", "the project has the stacks {known:dev and prod}")
NOT_UTF8 = _kind("not-utf8", "is not UTF-8 at byte {byte:15}", "save it as UTF-8")
NOT_YAML = _kind(
    "not-yaml", "is not valid YAML{position: at line 1, column 9}", "fix the indentation or the quotes there"
)
NOT_A_MAPPING = _kind(
    "not-a-mapping", "{part:config: }must be a mapping of keys to values", "write each setting as a key below config:"
)
SECRET_IN_CONFIGURATION = _kind("secret-in-configuration",
    "holds a secret, which would be stored in the state",
    "keep secrets in Secrets of the cluster, and refer to their keys with secretEnv")
REASON_MISSING = _kind("reason-missing", "must state a reason", "write in a sentence why this object may differ")

# Changes of what is deployed
RUN_IMMUTABLE = _kind("run-immutable",
    "run {run:bert} exists, and an existing run's pod template is immutable: {fields:spec.template.spec.containers[trainer].image} would change",
    "set a new runId (run_id in Python) to start a new run after this one, or beside it with previousRuns: keep; or revert the change")
RUN_NOT_KEPT = _kind("run-not-kept",
    "run {run:bert} would be deleted, since it was deployed without previousRuns: keep",
    "deploy previousRuns: keep first, then the new runId")
RUN_FAILED = _kind("run-failed", "the run failed: {reason:BackoffLimitExceeded}: {message:Job has reached the limit}")

# Objects that are there already
OWNED_BY_STACK = _kind("owned-by-stack",
    "{owner:TeamNamespace nlp} of stack {stack:ml-platform/prod} already owns {objects:Namespace nlp}",
    "choose another name or namespace; to move a component between stacks, use pulumi state move")
OWNED_BY_COMPONENT = _kind(
    "owned-by-component",
    "{owner:ModelService bert} of this stack already owns {objects:Service ml-serving/api}",
    'if {owner:ModelService bert} was renamed, set formerly: {name:bert} (in Python, aliases=[pulumi.Alias(name="{name:bert}")]); otherwise choose another name',
)
OWNED_BY_NO_COMPONENT = _kind("owned-by-no-component",
    "{manager:kubectl-create} has already created {objects:Namespace nlp}",
    "choose another name; a team, service or job adopts what exists with adopt: true")
IMMUTABLE_OBJECT = _kind("immutable-object",
    "existing objects differ in immutable fields, such as the selector: {objects:Deployment ml-serving/bert}",
    "choose another name, or give it the same immutable fields: labels.app sets the selector")
ENTRY_RENAMED = _kind("entry-renamed",
    "{before:bert} was removed, and this entry is like it: renamed, its objects would be deleted and created again",
    "set formerly: {before:bert} and name: {name:bert} on it, and nothing is touched; if it is another one, remove {before:bert} in a separate update first")
ENTRY_NAME_IMMUTABLE = _kind("entry-name-immutable",
    "the objects of this entry are named {before:bert}, and would be replaced by objects named {name:ranker}",
    "set name: {before:bert}; to replace them, remove the entry in a separate update first")
COMPONENT_RENAMED = _kind("component-renamed",
    "{before:bert} was removed, and this component is like it: renamed, its objects would be deleted and created again",
    'if it was renamed, set aliases=[pulumi.Alias(name="{before:bert}")] and name="{name:bert}", and nothing is touched; otherwise, remove {before:bert} in a separate update first')
COMPONENT_NAME_IMMUTABLE = _kind("component-name-immutable",
    "the objects of this component are named {before:bert}, and would be replaced by objects named {name:ranker}",
    'set name="{before:bert}"; to replace them, remove the component in a separate update first')
COMPONENT_MOVED = _kind("component-moved",
    "its parent was {before:app:index:Platform}, and its objects would be created under the new parent and then deleted",
    "set aliases=[pulumi.Alias(parent=...)] with the former parent, which is pulumi.ROOT_STACK_RESOURCE if it had none")
FORMER_KEY_TAKEN = _kind(
    "former-key-taken", "{former:bert} is {owner:the entry bert}", "set formerly to the key that only this entry had"
)
ADOPTED_CONTAINERS = _kind("adopted-containers",
    "the pods of existing objects would have more containers than {names:server}: {objects:Deployment ml-serving/bert}",
    "set containerName: {other:main}, the name of the existing container, or declare the others")
ENTRY_OBJECT_MOVED = _kind("entry-object-moved",
    "{object:Service ml-serving/api} belonged to {before:modelServices.bert}, and would be created here and deleted there",
    "leave it where it is, or rename the entry with formerly and name; an object moves in two updates, without it in between")
