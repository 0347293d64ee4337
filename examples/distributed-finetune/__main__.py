"""Fine-tuning with torchrun on two nodes with four GPUs each, which resumes from its checkpoints."""

import pulumi
from ml_platform import NodePool, TeamNamespace, Toleration, TrainingJob
from pulumi_kubernetes.core.v1 import PersistentVolumeClaim

WORKERS, GPUS = 2, 4

l4 = NodePool(
    node_selector={"cloud.google.com/gke-accelerator": "nvidia-l4"},
    tolerations=[Toleration(key="nvidia.com/gpu", effect="NoSchedule")],
    gpu_resource="nvidia.com/gpu",
)
team = TeamNamespace("nlp-finetune", {"team": "nlp", "quota": {"requests.nvidia.com/gpu": str(WORKERS * GPUS)}})

# Workers on several nodes read and write it. It outlives the run and the stack.
checkpoints = PersistentVolumeClaim(
    "checkpoints",
    metadata={"name": "checkpoints", "namespace": team.namespace},
    spec={
        "access_modes": ["ReadWriteMany"],
        "storage_class_name": "shared-files",
        "resources": {"requests": {"storage": "500Gi"}},
    },
    opts=pulumi.ResourceOptions(depends_on=[team], retain_on_delete=True),
)

job = TrainingJob(
    "llama-finetune",
    {
        "team": team,
        "image": "ghcr.io/acme/finetune:v3",
        # torchrun reads nodes, ranks and rendezvous from environment variables that the component sets.
        "command": ["torchrun", "finetune.py"],
        "env": {"LEARNING_RATE": "2e-5", "NCCL_DEBUG": "WARN"},
        "framework": "pytorch",
        "experiment": "instruction-tuning",
        "workers": WORKERS,
        "distributed": "torchrun",
        "node_pool": l4,
        "gpus": GPUS,
        "resources": {"requests": {"cpu": "16", "memory": "128Gi"}, "limits": {"memory": "256Gi"}},
        "shared_memory": "64Gi",
        "checkpoints": {"claim": checkpoints.metadata["name"], "access_mode": "ReadWriteMany"},
        # This program exits with 2 if its arguments are invalid. A retry would fail, too.
        "fatal_exit_codes": [2],
        "deadline_seconds": 3 * 24 * 3600,
    },
)

pulumi.export("job", job.job_name)
pulumi.export("logs", job.logs)
