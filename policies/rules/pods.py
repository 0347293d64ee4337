"""Rules about each pod."""

from collections.abc import Iterator

from components.base.objects import Manifest, containers
from components.pod.resources import is_gpu
from policies.rule import of_pods


def _gpus(spec: Manifest) -> list[str]:
    """The GPU resources that a pod asks for."""
    found: dict[str, None] = {}
    for container in containers(spec):
        resources = container.get("resources") or {}
        for section in ("requests", "limits"):
            found.update(dict.fromkeys(filter(is_gpu, resources.get(section) or {})))
    return list(found)


@of_pods(
    "gpu-placed",
    "a GPU is not any GPU: without a selector the pod lands on whichever is free, without a toleration on none",
    "select the node pool and tolerate its taint: set nodePool",
)
def _gpu_placed(spec: Manifest) -> Iterator[str]:
    gpus = _gpus(spec)
    if not gpus:
        return
    affinity = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    )
    if not spec.get("nodeSelector") and not affinity:
        yield f"asks for {', '.join(gpus)} without selecting nodes"
    if not spec.get("tolerations"):
        yield f"asks for {', '.join(gpus)} without tolerating the taint of GPU nodes"


@of_pods(
    "gpu-used",
    "a pod on GPU nodes that uses no GPU keeps one from being used, and is paid for as one",
    "set gpus, or choose a node pool without GPUs",
    level="advisory",
)
def _gpu_used(spec: Manifest) -> Iterator[str]:
    if _gpus(spec):
        return
    for toleration in spec.get("tolerations") or []:
        key = toleration.get("key") or ""
        if is_gpu(key):
            yield f"tolerates the taint {key} and asks for no GPU"


@of_pods(
    "no-host-namespaces",
    "a pod in its node's own namespaces sees other teams' traffic and processes",
    "remove hostNetwork, hostPID and hostIPC",
)
def _no_host_namespaces(spec: Manifest) -> Iterator[str]:
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(name):
            yield f"sets {name}"


# What Pod Security `restricted` allows.
_VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret",
}  # fmt: skip


@of_pods(
    "no-host-path",
    "the files of the node are those of every pod on it",
    "use a claim, an ephemeral volume, a ConfigMap, a Secret or an image",
)
def _no_host_path(spec: Manifest) -> Iterator[str]:
    for volume in spec.get("volumes") or []:
        for source in volume.keys() - {"name"}:
            if source not in _VOLUMES:
                yield f"mounts the {source} volume {volume['name']}"


@of_pods(
    "no-api-token",
    "a training script or a model server has no business with the Kubernetes API",
    "set automountServiceAccountToken: false; a workload that needs it says so by security.apiToken",
    level="advisory",
)
def _no_api_token(spec: Manifest) -> Iterator[str]:
    mounted = spec.get("automountServiceAccountToken", True)
    if mounted or mounted is None:
        yield "mounts a token of the Kubernetes API"


@of_pods(
    "own-service-account",
    "what is bound to the account default is given to every pod of the namespace",
    "give the workload a ServiceAccount of its own",
    level="advisory",
)
def _own_service_account(spec: Manifest) -> Iterator[str]:
    if (spec.get("serviceAccountName") or "default") == "default":
        yield "runs under the account default"


@of_pods(
    "grace-covers-drain",
    "a pod that is killed while it drains cuts off the requests that it is answering",
    "set terminationGracePeriodSeconds above the seconds of the preStop hook",
)
def _grace_covers_drain(spec: Manifest) -> Iterator[str]:
    grace = spec.get("terminationGracePeriodSeconds", 30)
    for container in spec.get("containers") or []:
        hook = (container.get("lifecycle") or {}).get("preStop") or {}
        seconds = (hook.get("sleep") or {}).get("seconds", 0)
        if seconds >= grace:
            yield f"is killed after {grace} s, and container {container['name']} waits {seconds} s before it stops"
