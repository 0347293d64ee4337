"""The options that all workloads share, one at a time, for tests against schemas and a real API server."""

from typing import Any

from components import NodePool, NodePoolAutoscaling, Toleration

GPU_POOL = NodePool(
    image="server:v1",
    gpu_resource="nvidia.com/gpu",
    node_selector={"cloud.google.com/gke-accelerator": "nvidia-l4"},
    tolerations=[Toleration(key="nvidia.com/gpu", effect="NoSchedule")],
    autoscaling=NodePoolAutoscaling(max=8, allocatable={"cpu": "15", "nvidia.com/gpu": "1"}),
    runtime_class_name="nvidia",
)

OPTIONS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "command": {"command": ["python", "run.py"], "args": ["--lr", "1"]},
    "variables": {"env": {"A": "1"}, "secret_env": {"TOKEN": {"secret": "hub", "key": "token"}}},
    "resources": {"resources": {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"memory": "2Gi"}}},
    "GPUs": {"node_pool": GPU_POOL, "gpus": 1},
    "a node pool and its image": {"node_pool": GPU_POOL, "image": None},
    "labels": {"labels": {"app": "inference-server", "tier": "gold"}},
    "annotations": {"annotations": {"example.com/note": "a note"}},
    "an existing ServiceAccount": {"service_account": "reader", "security": {"api_token": True}},
    "a private registry": {"image_pull_secrets": ["registry"], "image_pull_policy": "IfNotPresent"},
    "priority": {"priority_class": "high"},
    "volumes": {
        "volumes": {
            "claim": {"path": "/claim", "claim": "data", "access_mode": "ReadWriteMany"},
            "scratch": {"path": "/scratch", "ephemeral": "5Gi", "storage_class": "fast"},
            "cache": {"path": "/cache", "ephemeral": "1Gi"},
            "weights": {"path": "/weights", "image": "models/bert:v1"},
            "settings": {"path": "/settings", "config_map": "settings"},
            "keys": {"path": "/keys", "secret": "keys"},
        }
    },
    "shared memory": {"shared_memory": "2Gi"},
    "an init container": {
        "init_containers": [
            {
                "name": "stage",
                "image": "stage:v1",
                "command": ["fetch"],
                "args": ["--all"],
                "env": {"B": "2"},
                "resources": {"requests": {"cpu": "1", "memory": "1Gi"}},
            }
        ]
    },
    "run as root": {"security": {"run_as_root": True, "capabilities": ["IPC_LOCK"]}},
    "another user": {"security": {"run_as_user": 1000, "writable_root": True}},
}
"""Options by name, and their arguments."""


def named(options: dict[str, dict[str, Any]]) -> set[str]:
    """The arguments that options set."""
    return {argument for given in options.values() for argument in given}
