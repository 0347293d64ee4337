"""Rules for containers."""

from collections.abc import Iterator

from components.base.names import IMAGE_REFERENCE
from components.base.objects import Manifest
from components.base.quantities import parse_quantity
from components.pod.resources import is_gpu
from policies.rule import Violation, container_rule, violation
from policies.secret_names import names_secret


@container_rule(
    "image-pinned",
    "the tag latest is mutable: a rollback would not restore the previous image",
    "set a version as the tag, or a digest",
)
def _image_pinned(container: Manifest, _: Manifest) -> Iterator[Violation]:
    image = str(container["image"])
    tag = image.rpartition("/")[2].partition(":")[2]
    if "@sha256:" in image or tag not in {"", "latest"}:
        return
    if tag:
        yield violation("uses the image {image}, whose tag is latest", image=image)
    else:
        yield violation("uses the image {image} without a tag, which defaults to latest", image=image)


@container_rule(
    "image-reference",
    "an invalid image reference is only detected on the node: the pod stays in InvalidImageName",
    "use [registry[:port]/]path[:tag][@sha256:digest] with a lowercase path",
)
def _image_reference(container: Manifest, _: Manifest) -> Iterator[Violation]:
    image = str(container["image"])
    if not IMAGE_REFERENCE.fullmatch(image):
        yield violation("has the invalid image reference {image!r}", image=image)


@container_rule(
    "requests-set",
    "the scheduler places a pod by its requests, and a quota rejects containers without them",
    "set resources.requests.cpu and resources.requests.memory",
)
def _requests_set(container: Manifest, _: Manifest) -> Iterator[Violation]:
    resources = container.get("resources") or {}
    given = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
    missing = [name for name in ("cpu", "memory") if name not in given]
    if missing:
        yield violation("does not request {resources}", resources=" and ".join(missing))


@container_rule(
    "memory-limited",
    "a container without a memory limit can use up its node's memory: pods of other teams are then OOM-killed",
    "set resources.limits.memory",
)
def _memory_limited(container: Manifest, _: Manifest) -> Iterator[Violation]:
    if "memory" not in ((container.get("resources") or {}).get("limits") or {}):
        yield violation("has no memory limit")


@container_rule(
    "requests-within-limits",
    "the API server rejects a request above its limit",
    "raise the limit or lower the request",
)
def _requests_within_limits(container: Manifest, _: Manifest) -> Iterator[Violation]:
    resources = container.get("resources") or {}
    limits = resources.get("limits") or {}
    for name, request in (resources.get("requests") or {}).items():
        if name in limits and parse_quantity(str(request)) > parse_quantity(str(limits[name])):
            yield violation(
                "requests {request} of {resource}, above its limit of {limit}",
                request=request,
                resource=name,
                limit=limits[name],
            )


@container_rule(
    "gpu-whole",
    "GPUs cannot be overcommitted: the API server rejects fractions, and requests that differ from the limit",
    "set a whole number of GPUs, the same as request and as limit",
)
def _gpu_whole(container: Manifest, _: Manifest) -> Iterator[Violation]:
    resources = container.get("resources") or {}
    requests, limits = (resources.get("requests") or {}), (resources.get("limits") or {})
    for name in filter(is_gpu, dict.fromkeys([*requests, *limits])):
        if name not in limits:
            yield violation("requests {resource} without a limit", resource=name)
            continue
        limit, request = str(limits[name]), str(requests.get(name, limits[name]))
        if parse_quantity(limit) % 1:
            yield violation("has a limit of {limit} {resource}, which is a fraction", limit=limit, resource=name)
        if parse_quantity(request) != parse_quantity(limit):
            yield violation(
                "requests {request} {resource} with a limit of {limit}", request=request, resource=name, limit=limit
            )


@container_rule(
    "not-privileged",
    "a privileged container has root access to its node, and so to the pods of every team on it",
    "remove securityContext.privileged",
)
def _not_privileged(container: Manifest, _: Manifest) -> Iterator[Violation]:
    if (container.get("securityContext") or {}).get("privileged"):
        yield violation("is privileged")


@container_rule(
    "no-privilege-escalation",
    "a setuid program in the image can gain root privileges",
    "set securityContext.allowPrivilegeEscalation: false",
)
def _no_privilege_escalation(container: Manifest, _: Manifest) -> Iterator[Violation]:
    allowed = (container.get("securityContext") or {}).get("allowPrivilegeEscalation", True)
    if allowed or allowed is None:
        yield violation("allows privilege escalation")


@container_rule(
    "capabilities-dropped",
    "Linux capabilities that a container does not need make it easier to escape from it",
    "drop ALL, and add no capability other than NET_BIND_SERVICE",
)
def _capabilities_dropped(container: Manifest, _: Manifest) -> Iterator[Violation]:
    capabilities = (container.get("securityContext") or {}).get("capabilities") or {}
    if "ALL" not in (capabilities.get("drop") or []):
        yield violation("does not drop ALL capabilities")
    added = [str(name) for name in capabilities.get("add") or [] if name != "NET_BIND_SERVICE"]
    if added:
        yield violation("adds the capabilities {capabilities}", capabilities=", ".join(added))


@container_rule(
    "not-root",
    "root in a container is root on the node after a container escape",
    "set runAsNonRoot: true, and a runAsUser other than 0 if the image sets no user",
)
def _not_root(container: Manifest, spec: Manifest) -> Iterator[Violation]:
    pod, own = spec.get("securityContext") or {}, container.get("securityContext") or {}
    if own.get("runAsUser", pod.get("runAsUser")) == 0:
        yield violation("runs as user 0")
    elif not own.get("runAsNonRoot", pod.get("runAsNonRoot")):
        yield violation("may run as root")


@container_rule(
    "seccomp-profile",
    "without a seccomp profile a container can make every system call of the node's kernel",
    "set seccompProfile.type: RuntimeDefault",
)
def _seccomp_profile(container: Manifest, spec: Manifest) -> Iterator[Violation]:
    pod, own = spec.get("securityContext") or {}, container.get("securityContext") or {}
    profile = own.get("seccompProfile") or pod.get("seccompProfile") or {}
    if profile.get("type") not in ("RuntimeDefault", "Localhost"):
        yield violation("has no seccomp profile")


@container_rule(
    "read-only-root",
    "with a writable root file system an attacker can replace the program while it runs",
    "set readOnlyRootFilesystem: true, and mount an emptyDir where the program writes",
    level="advisory",
)
def _read_only_root(container: Manifest, _: Manifest) -> Iterator[Violation]:
    if not (container.get("securityContext") or {}).get("readOnlyRootFilesystem"):
        yield violation("has a writable root file system")


@container_rule(
    "no-host-port",
    "a host port bypasses NetworkPolicies, and only one pod of a node can use it",
    "remove hostPort, and expose the pod through a Service",
)
def _no_host_port(container: Manifest, _: Manifest) -> Iterator[Violation]:
    for port in container.get("ports") or []:
        if port.get("hostPort"):
            yield violation("uses the host port {port}", port=port["hostPort"])


@container_rule(
    "no-secret-in-env",
    "a plain value is visible in the stack's file, in Pulumi's state and in the output of kubectl describe",
    "store it in a Secret, and reference that with secretEnv (valueFrom.secretKeyRef)",
)
def _no_secret_in_env(container: Manifest, _: Manifest) -> Iterator[Violation]:
    for variable in container.get("env") or []:
        if "value" in variable and names_secret(str(variable["name"])) and variable["value"] != "":
            yield violation("has a plain value for {variable}", variable=variable["name"])


_PROBES = ("readinessProbe", "livenessProbe", "startupProbe")
_ACTIONS = ("httpGet", "tcpSocket", "grpc")


@container_rule(
    "probe-port",
    "a probe on a port that the container does not listen on always fails: the pod is never ready, or is restarted",
    "probe one of the container's ports",
)
def _probe_port(container: Manifest, _: Manifest) -> Iterator[Violation]:
    ports = container.get("ports") or []
    declared = {port["containerPort"] for port in ports} | {port["name"] for port in ports if "name" in port}
    if not declared:  # the declaration of ports is optional
        return
    for kind in _PROBES:
        for action in _ACTIONS:
            port = ((container.get(kind) or {}).get(action) or {}).get("port")
            if port is not None and port not in declared:
                yield violation(
                    "has a {probe} on port {port}, but declares the ports {ports}",
                    probe=kind,
                    port=port,
                    ports=", ".join(map(str, sorted(declared, key=str))),
                )


@container_rule(
    "liveness-waits",
    "a model takes minutes to load: a liveness probe without a delay restarts its container again and again",
    "add a startup probe that covers the loading time",
    level="advisory",
)
def _liveness_waits(container: Manifest, _: Manifest) -> Iterator[Violation]:
    liveness = container.get("livenessProbe")
    if liveness and not container.get("startupProbe") and not liveness.get("initialDelaySeconds"):
        seconds = liveness.get("periodSeconds", 10) * liveness.get("failureThreshold", 3)
        yield violation("is restarted unless it is live {seconds} s after its start", seconds=seconds)
