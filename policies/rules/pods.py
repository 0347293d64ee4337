"""Rules for pods."""

from collections.abc import Iterator

from components.base.objects import Manifest, containers
from components.pod.resources import is_gpu
from policies.rule import Violation, pod_rule, violation


def _gpu_resources(spec: Manifest) -> list[str]:
    """The GPU resources that a pod requests."""
    found: dict[str, None] = {}
    for container in containers(spec):
        resources = container.get("resources") or {}
        for section in ("requests", "limits"):
            found.update(dict.fromkeys(filter(is_gpu, resources.get(section) or {})))
    return list(found)


@pod_rule(
    "gpu-placed",
    "GPU models differ: without a node selector a pod may run on any of them, and without a toleration on none",
    "select the node pool and tolerate its taint: set nodePool",
)
def _gpu_placed(spec: Manifest) -> Iterator[Violation]:
    resources = ", ".join(_gpu_resources(spec))
    if not resources:
        return
    affinity = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    )
    if not spec.get("nodeSelector") and not affinity:
        yield violation("requests {resources} without a node selector", resources=resources)
    if not spec.get("tolerations"):
        yield violation("requests {resources} without tolerating the taint of GPU nodes", resources=resources)


@pod_rule(
    "gpu-used",
    "a pod on a GPU node that requests no GPU takes up capacity that is paid for",
    "set gpus, or choose a node pool without GPUs",
    level="advisory",
)
def _gpu_used(spec: Manifest) -> Iterator[Violation]:
    if _gpu_resources(spec):
        return
    for toleration in spec.get("tolerations") or []:
        key = toleration.get("key") or ""
        if is_gpu(key):
            yield violation("tolerates the taint {taint}, but requests no GPU", taint=key)


@pod_rule(
    "no-host-namespaces",
    "a pod in the namespaces of its node sees the traffic and the processes of other teams",
    "remove hostNetwork, hostPID and hostIPC",
)
def _no_host_namespaces(spec: Manifest) -> Iterator[Violation]:
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(name):
            yield violation("sets {field}", field=name)


# The volume types that the Pod Security Standard `restricted` allows.
_VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret",
}  # fmt: skip


@pod_rule(
    "no-host-path",
    "the files of a node are shared by all pods on it",
    "use a PersistentVolumeClaim, an ephemeral volume, a ConfigMap, a Secret or an image volume",
)
def _no_host_path(spec: Manifest) -> Iterator[Violation]:
    for volume in spec.get("volumes") or []:
        for source in volume.keys() - {"name"}:
            if source not in _VOLUMES:
                yield violation("mounts the {source} volume {volume}", source=source, volume=volume["name"])


@pod_rule(
    "no-api-token",
    "training scripts and model servers do not use the Kubernetes API",
    "set automountServiceAccountToken: false; a workload that needs the token sets security.apiToken",
    level="advisory",
)
def _no_api_token(spec: Manifest) -> Iterator[Violation]:
    mounted = spec.get("automountServiceAccountToken", True)
    if mounted or mounted is None:
        yield violation("mounts a token of the Kubernetes API")


@pod_rule(
    "own-service-account",
    "permissions of the ServiceAccount default apply to every pod of the namespace that sets no other",
    "set a dedicated ServiceAccount",
    level="advisory",
)
def _own_service_account(spec: Manifest) -> Iterator[Violation]:
    if (spec.get("serviceAccountName") or "default") == "default":
        yield violation("uses the ServiceAccount default")


@pod_rule(
    "grace-covers-drain",
    "a pod that is killed while it drains drops the requests in flight",
    "set terminationGracePeriodSeconds above the duration of the preStop hook",
)
def _grace_covers_drain(spec: Manifest) -> Iterator[Violation]:
    grace = spec.get("terminationGracePeriodSeconds", 30)
    for container in spec.get("containers") or []:
        hook = (container.get("lifecycle") or {}).get("preStop") or {}
        seconds = (hook.get("sleep") or {}).get("seconds", 0)
        if seconds >= grace:
            yield violation(
                "is killed after {grace} s, but the preStop hook of container {container} takes {seconds} s",
                grace=grace,
                container=container["name"],
                seconds=seconds,
            )
