"""Rules about each container of a pod."""

import re
from collections.abc import Iterator

from components.base.objects import Manifest
from components.base.quantities import parse_quantity
from components.pod.resources import is_gpu
from policies.rule import of_containers
from policies.secret_names import names_secret


@of_containers(
    "image-pinned",
    "the tag latest is another image tomorrow: a rollback would not bring the old one back",
    "name a version as the tag, or a digest",
)
def _image_pinned(container: Manifest, _: Manifest) -> Iterator[str]:
    image = str(container["image"])
    tag = image.rpartition("/")[2].partition(":")[2]
    if "@sha256:" not in image and tag in {"", "latest"}:
        yield f"has the image {image}, " + ("whose tag is latest" if tag else "which names no tag, that is latest")


_IMAGE = re.compile(
    r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::[0-9]{1,5})?/)?"
    r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*"
    r"(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?",
    re.ASCII,
)


@of_containers(
    "image-reference",
    "what is no image reference is only noticed by the node: the pod stays in InvalidImageName",
    "write [registry[:port]/]path[:tag][@sha256:digest], the path in lower case",
)
def _image_reference(container: Manifest, _: Manifest) -> Iterator[str]:
    image = str(container["image"])
    if not _IMAGE.fullmatch(image):
        yield f"has the image {image!r}, which is no image reference"


@of_containers(
    "requests-set",
    "the scheduler places a pod by its requests, and a quota refuses a container without them",
    "set resources.requests.cpu and resources.requests.memory",
)
def _requests_set(container: Manifest, _: Manifest) -> Iterator[str]:
    resources = container.get("resources") or {}
    given = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
    missing = [name for name in ("cpu", "memory") if name not in given]
    if missing:
        yield f"asks for no {' and no '.join(missing)}"


@of_containers(
    "memory-limited",
    "a container without a memory limit can take its node's, and other teams' pods are killed for it",
    "set resources.limits.memory",
)
def _memory_limited(container: Manifest, _: Manifest) -> Iterator[str]:
    if "memory" not in ((container.get("resources") or {}).get("limits") or {}):
        yield "has no memory limit"


@of_containers(
    "requests-within-limits",
    "Kubernetes refuses a container that asks for more than it may use",
    "raise the limit or lower the request",
)
def _requests_within_limits(container: Manifest, _: Manifest) -> Iterator[str]:
    resources = container.get("resources") or {}
    limits = resources.get("limits") or {}
    for name, request in (resources.get("requests") or {}).items():
        if name in limits and parse_quantity(str(request)) > parse_quantity(str(limits[name])):
            yield f"asks for {request} of {name}, above its limit of {limits[name]}"


@of_containers(
    "gpu-whole",
    "a GPU cannot be shared by requests: Kubernetes refuses fractions, and requests that are not the limit",
    "give whole GPUs, the same number as request and limit",
)
def _gpu_whole(container: Manifest, _: Manifest) -> Iterator[str]:
    resources = container.get("resources") or {}
    requests, limits = (resources.get("requests") or {}), (resources.get("limits") or {})
    for name in filter(is_gpu, dict.fromkeys([*requests, *limits])):
        if name not in limits:
            yield f"requests {name} without a limit of the same number"
            continue
        limit, request = str(limits[name]), str(requests.get(name, limits[name]))
        if parse_quantity(limit) % 1:
            yield f"asks for {limit} of {name}"
        if parse_quantity(request) != parse_quantity(limit):
            yield f"requests {request} of {name} with a limit of {limit}"


@of_containers(
    "not-privileged",
    "a privileged container is root on its node, and so on every team's pods there",
    "remove securityContext.privileged",
)
def _not_privileged(container: Manifest, _: Manifest) -> Iterator[str]:
    if (container.get("securityContext") or {}).get("privileged"):
        yield "is privileged"


@of_containers(
    "no-privilege-escalation",
    "a setuid program in the image could make itself root",
    "set securityContext.allowPrivilegeEscalation: false",
)
def _no_privilege_escalation(container: Manifest, _: Manifest) -> Iterator[str]:
    allowed = (container.get("securityContext") or {}).get("allowPrivilegeEscalation", True)
    if allowed or allowed is None:
        yield "may gain more privileges than its parent process"


@of_containers(
    "capabilities-dropped",
    "Linux capabilities that nobody needs are a way out of the container",
    "drop ALL; add none but NET_BIND_SERVICE",
)
def _capabilities_dropped(container: Manifest, _: Manifest) -> Iterator[str]:
    capabilities = (container.get("securityContext") or {}).get("capabilities") or {}
    if "ALL" not in (capabilities.get("drop") or []):
        yield "keeps the capabilities of its runtime"
    added = [str(name) for name in capabilities.get("add") or [] if name != "NET_BIND_SERVICE"]
    if added:
        yield f"adds the capabilities {', '.join(added)}"


@of_containers(
    "not-root",
    "root in a container is root on the node once there is a way out",
    "set runAsNonRoot: true, and a runAsUser above 0 where the image names none",
)
def _not_root(container: Manifest, spec: Manifest) -> Iterator[str]:
    pod, own = spec.get("securityContext") or {}, container.get("securityContext") or {}
    if own.get("runAsUser", pod.get("runAsUser")) == 0:
        yield "runs as user 0"
    elif not own.get("runAsNonRoot", pod.get("runAsNonRoot")):
        yield "may run as root"


@of_containers(
    "seccomp-profile",
    "without a seccomp profile every system call of the node's kernel can be tried",
    "set seccompProfile.type: RuntimeDefault",
)
def _seccomp_profile(container: Manifest, spec: Manifest) -> Iterator[str]:
    pod, own = spec.get("securityContext") or {}, container.get("securityContext") or {}
    profile = own.get("seccompProfile") or pod.get("seccompProfile") or {}
    if profile.get("type") not in ("RuntimeDefault", "Localhost"):
        yield "has no seccomp profile"


@of_containers(
    "read-only-root",
    "a program that can write to its own image can be replaced while it runs",
    "set readOnlyRootFilesystem: true, and mount an emptyDir where it writes",
    level="advisory",
)
def _read_only_root(container: Manifest, _: Manifest) -> Iterator[str]:
    if not (container.get("securityContext") or {}).get("readOnlyRootFilesystem"):
        yield "can write to its root file system"


@of_containers(
    "no-host-port",
    "a port of the node goes round every NetworkPolicy, and only one pod a node can have it",
    "remove hostPort, and reach the pod through a Service",
)
def _no_host_port(container: Manifest, _: Manifest) -> Iterator[str]:
    for port in container.get("ports") or []:
        if port.get("hostPort"):
            yield f"takes port {port['hostPort']} of its node"


@of_containers(
    "no-secret-in-env",
    "a plain value is in the stack's file, in Pulumi's state and in the output of kubectl describe",
    "keep it in a Secret, and refer to it with secretEnv (valueFrom.secretKeyRef)",
)
def _no_secret_in_env(container: Manifest, _: Manifest) -> Iterator[str]:
    for variable in container.get("env") or []:
        if "value" in variable and names_secret(str(variable["name"])) and variable["value"] != "":
            yield f"has a plain value for {variable['name']}"


_PROBES = ("readinessProbe", "livenessProbe", "startupProbe")
_ACTIONS = ("httpGet", "tcpSocket", "grpc")


@of_containers(
    "probe-port",
    "a probe on a port that the container does not open fails for ever: the pod is never ready, or is killed",
    "ask a port from the container's ports",
)
def _probe_port(container: Manifest, _: Manifest) -> Iterator[str]:
    ports = container.get("ports") or []
    opened = {port["containerPort"] for port in ports} | {port["name"] for port in ports if "name" in port}
    if not opened:  # naming ports is optional: then nothing is known of them
        return
    for kind in _PROBES:
        for action in _ACTIONS:
            port = ((container.get(kind) or {}).get(action) or {}).get("port")
            if port is not None and port not in opened:
                yield f"has a {kind} on port {port}, and opens {', '.join(map(str, sorted(opened, key=str)))}"


@of_containers(
    "liveness-waits",
    "a model takes minutes to load: a liveness probe that does not wait kills the pod again and again",
    "give a startup probe that lasts as long as loading may",
    level="advisory",
)
def _liveness_waits(container: Manifest, _: Manifest) -> Iterator[str]:
    liveness = container.get("livenessProbe")
    if liveness and not container.get("startupProbe") and not liveness.get("initialDelaySeconds"):
        patience = liveness.get("periodSeconds", 10) * liveness.get("failureThreshold", 3)
        yield f"is killed when it does not live {patience} s after its start"
