"""Training with several workers: torchrun's environment, the workers' headless Service and their NetworkPolicy.

The workers are the pods of an Indexed Job. The headless Service gives each a stable host name, which the
replacement of a failed pod keeps: ``<job>-<index>.<service>``.
"""

from ..base.labels import Labels, selector
from ..base.objects import Manifest
from ..base.registration import Manifests
from ..pod.security import Security
from ..team_namespace.network_policies import DNS_NAMESPACE, dns, everywhere

# torchrun's own default. A pod has its own address, so the port is always free.
_PORT = 29500

_INDEX_FIELD = "metadata.annotations['batch.kubernetes.io/job-completion-index']"


class TrainingSecurity(Security):
    """Opt-outs of a training job from the restricted defaults, each by its own name for reviewers.

    Without any, pods meet Pod Security ``restricted``, have a read-only root file system with a writable
    ``/tmp``, and no access to the Kubernetes API. The workers of a distributed training can connect to
    each other, to DNS and to the destinations in the team's ``network``, but not to the team's other
    pods. A change needs a new run.
    """

    open_egress: bool = False
    """Allow several workers to connect to any address except the cloud's metadata server.

    For an object store with the data or an experiment tracker. Not needed for destinations in the team's
    ``network.allow_to``. Updatable in place.
    """


def service_name(name: str) -> str:
    """The name of the headless Service of a TrainingJob's workers."""
    return f"{name}-workers"


def torchrun_variables(
    job: str, service: str, *, workers: int, min_workers: int, processes: int, restarts: int
) -> list[Manifest]:
    """The environment variables that replace torchrun's command-line options.

    The rendezvous (c10d) is at the first worker. When a worker is lost, the others stop, and all resume
    from the last checkpoint as soon as ``min_workers`` of them have joined. ``processes`` is the number
    in each worker.
    """
    # Relative to the pod's namespace: its resolver completes the name.
    host = f"{job}-0.{service}"
    values = {
        "PET_NNODES": str(workers) if min_workers == workers else f"{min_workers}:{workers}",
        "PET_NPROC_PER_NODE": str(processes),
        "PET_MAX_RESTARTS": str(restarts),
        "PET_RDZV_BACKEND": "c10d",
        "PET_RDZV_ENDPOINT": f"{host}:{_PORT}",
        "PET_RDZV_ID": job,
        # For programs that use another rendezvous backend, or start without torchrun.
        "PET_MASTER_ADDR": host,
        "PET_MASTER_PORT": str(_PORT),
    }
    rank = {"name": "PET_NODE_RANK", "valueFrom": {"fieldRef": {"fieldPath": _INDEX_FIELD}}}
    return [*({"name": name, "value": value} for name, value in values.items()), rank]


def worker_network(name: str, metadata: Manifest, labels: Labels, *, open_egress: bool) -> Manifests:
    """The workers' headless Service and NetworkPolicy, by role."""
    workers = selector(labels)
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {**metadata, "name": service_name(name)},
        "spec": {
            "type": "ClusterIP",
            "clusterIP": "None",
            "selector": workers,
            # Workers must resolve each other before any of them is ready.
            "publishNotReadyAddresses": True,
            "ports": [{"name": "rendezvous", "port": _PORT, "targetPort": _PORT}],
        },
    }
    peers = {"podSelector": {"matchLabels": workers}}
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {**metadata, "name": service_name(name)},
        "spec": {
            "podSelector": {"matchLabels": workers},
            "policyTypes": ["Ingress", "Egress"],
            # All ports: collective operations use any.
            "ingress": [{"from": [peers]}],
            "egress": [{"to": [peers]}, everywhere() if open_egress else dns(DNS_NAMESPACE)],
        },
    }
    return {"network-policy": policy, "service": service}
