"""Training in several pods: how they find each other, and who else may talk to them.

The workers are the pods of an Indexed Job. A headless Service gives each a name of its own that a
new pod takes over from the one that failed: ``<job>-<index>.<service>``.
"""

from ..base.labels import Labels, selector
from ..base.objects import Manifest
from ..base.registration import Manifests
from ..pod.security import Security
from ..team_namespace.network_policies import DNS_NAMESPACE, dns, everywhere

# torchrun's own default port. A pod has an address of its own, so that it is always free.
PORT = 29500

INDEX = "metadata.annotations['batch.kubernetes.io/job-completion-index']"


class TrainingSecurity(Security):
    """Opt-outs of a training job from the restricted defaults, each named so that a reviewer sees it.

    Without any, a pod passes Pod Security ``restricted``, has a read-only root file system with a
    writable ``/tmp``, and no access to the Kubernetes API. Several workers talk to each other, to DNS
    and to whom the team's ``network`` names, and to none of the team's other pods.
    """

    open_egress: bool = False
    """Let several workers call any address but the cloud's metadata server: an object store with the data,
    an experiment tracker. Not needed for what the team's ``network.allow_to`` names."""


def service_name(name: str) -> str:
    """The name of the headless Service of a component's workers."""
    return f"{name}-workers"


def torchrun(
    job: str, service: str, *, workers: int, min_workers: int, processes: int, restarts: int
) -> list[Manifest]:
    """The environment from which torchrun takes its options: no flag is needed on the command line.

    Rendezvous is by c10d at the first worker: when a worker is lost, the others stop, and all begin
    again from the last checkpoint as soon as ``min_workers`` of them have met.
    """
    # Relative to the pod's own namespace: its resolver completes the name.
    host = f"{job}-0.{service}"
    values = {
        "PET_NNODES": str(workers) if min_workers == workers else f"{min_workers}:{workers}",
        "PET_NPROC_PER_NODE": str(processes),
        "PET_MAX_RESTARTS": str(restarts),
        "PET_RDZV_BACKEND": "c10d",
        "PET_RDZV_ENDPOINT": f"{host}:{PORT}",
        "PET_RDZV_ID": job,
        # For a program that starts with another backend, or without torchrun.
        "PET_MASTER_ADDR": host,
        "PET_MASTER_PORT": str(PORT),
    }
    rank = {"name": "PET_NODE_RANK", "valueFrom": {"fieldRef": {"fieldPath": INDEX}}}
    return [*({"name": name, "value": value} for name, value in values.items()), rank]


def network(name: str, metadata: Manifest, labels: Labels, *, open_egress: bool) -> Manifests:
    """The headless Service of the workers and the NetworkPolicy around them, by role."""
    workers = selector(labels)
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {**metadata, "name": service_name(name)},
        "spec": {
            "type": "ClusterIP",
            "clusterIP": "None",
            "selector": workers,
            # They have to find each other before any of them is ready.
            "publishNotReadyAddresses": True,
            "ports": [{"name": "rendezvous", "port": PORT, "targetPort": PORT}],
        },
    }
    each_other = {"podSelector": {"matchLabels": workers}}
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {**metadata, "name": service_name(name)},
        "spec": {
            "podSelector": {"matchLabels": workers},
            "policyTypes": ["Ingress", "Egress"],
            # No ports: collectives choose theirs freely.
            "ingress": [{"from": [each_other]}],
            "egress": [{"to": [each_other]}, everywhere() if open_egress else dns(DNS_NAMESPACE)],
        },
    }
    return {"network-policy": policy, "service": service}
