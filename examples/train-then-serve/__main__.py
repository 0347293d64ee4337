"""A model that is served as soon as its training has succeeded. A failed run leaves the service unchanged."""

import pulumi
from ml_platform import ModelService, TeamNamespace, TrainingJob
from pulumi_kubernetes.core.v1 import PersistentVolumeClaim

version = pulumi.Config().require("version")

team = TeamNamespace("fraud", {"team": "fraud", "quota": {"requests.cpu": "16", "requests.memory": "64Gi"}})

models = PersistentVolumeClaim(
    "models",
    metadata={"name": "models", "namespace": team.namespace},
    spec={
        "access_modes": ["ReadWriteMany"],
        "storage_class_name": "shared-files",
        "resources": {"requests": {"storage": "50Gi"}},
    },
    opts=pulumi.ResourceOptions(depends_on=[team], retain_on_delete=True),
)
name = models.metadata["name"]

training = TrainingJob(
    "fraud-training",
    {
        "team": team,
        "image": "ghcr.io/acme/fraud:v2",
        "command": ["python", "-m", "fraud.train", f"--output=/models/{version}"],
        "run_id": version,
        "wait_for": "completion",
        "deadline_seconds": 6 * 3600,
        "volumes": {"models": {"path": "/models", "claim": name, "access_mode": "ReadWriteMany"}},
        "resources": {"requests": {"cpu": "4", "memory": "8Gi"}, "limits": {"memory": "16Gi"}},
    },
)

service = ModelService(
    "fraud",
    {
        "team": team,
        "image": "ghcr.io/acme/fraud-serving:v2",
        "version": version,
        "env": {"MODEL": f"/models/{version}"},
        "model": {"source": {"claim": name, "access_mode": "ReadWriteMany"}, "path": "/models"},
        "replicas": 2,
    },
    pulumi.ResourceOptions(depends_on=[training]),
)

pulumi.export("url", service.url)
