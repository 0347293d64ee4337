"""A change of the prod stack, as a team might propose it."""

from typing import Any


def change(settings: dict[str, Any]) -> None:
    """A new version with more replicas and without a load balancer, another run, a new job, and larger quotas."""
    serving = settings["modelServices"]["model-serving"]
    serving.update(replicas=5, image="myregistry/bert-serving:v1.3", version="v1.3", env={"BATCH": "32"})
    serving["service"]["type"] = "NodePort"
    settings["trainingJobs"]["image-classifier"].update(runId="more", command=["python", "train.py", "--epochs=20"])
    settings["trainingJobs"]["finetune"] = {
        "team": "ml-training",
        "nodePool": "gpu",
        "gpus": 2,
        "framework": "pytorch",
        "command": ["python", "finetune.py"],
    }
    settings["teams"]["ml-experiments"]["quota"]["requests.nvidia.com/gpu"] = "4"
    settings["teams"]["data-pipeline"]["quota"]["pods"] = "60"
