"""Small workloads and quotas, in the namespace ``a``."""

from typing import Any


def deployment(gpus: str = "2", **selector: str) -> dict[str, Any]:
    """A Deployment of one pod with GPUs, on the GPU node pool of tests.review.prod unless it selects another."""
    limits = {"resources": {"limits": {"nvidia.com/gpu": gpus}}}
    nodes = {"cloud.google.com/gke-accelerator": "nvidia-l4", **selector}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "m", "namespace": "a"},
        "spec": {"template": {"spec": {"nodeSelector": nodes, "containers": [{"name": "c", **limits}]}}},
    }


def pod(container: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "a"},
        "spec": {"containers": [container]},
    }


def quota(**hard: str) -> dict[str, Any]:
    """A ResourceQuota, of one pod by default."""
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "q", "namespace": "a"},
        "spec": {"hard": hard or {"pods": "1"}},
    }
