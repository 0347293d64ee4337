"""The nodes that are made for a node pool."""

from typing import Any

from sandbox.nodes import NODES_PER_POOL, _nodes

POOL: dict[str, Any] = {
    "nodeSelector": {"cloud.google.com/gke-accelerator": "nvidia-l4"},
    "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "value": None, "effect": None}],
    "gpuResource": "nvidia.com/gpu",
}


def test_nodes_match_their_pool() -> None:
    nodes = _nodes("gpu", POOL)
    assert [node["metadata"]["name"] for node in nodes] == [f"gpu-{index}" for index in range(NODES_PER_POOL)]
    assert nodes[0]["metadata"]["labels"]["cloud.google.com/gke-accelerator"] == "nvidia-l4"
    assert nodes[0]["spec"]["taints"] == [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}]
    assert nodes[0]["status"]["capacity"]["nvidia.com/gpu"] == "8"


def test_nodes_without_gpus_have_none() -> None:
    capacity = _nodes("cpu", {**POOL, "gpuResource": None})[0]["status"]["capacity"]
    assert not any("gpu" in resource for resource in capacity)


def test_a_changed_pool_has_changed_nodes() -> None:
    def digest(pool: dict[str, Any]) -> str:
        return str(_nodes("gpu", pool)[0]["metadata"]["annotations"]["sandbox.ml-platform/digest"])

    assert digest(POOL) == digest(dict(POOL))
    assert digest(POOL) != digest({**POOL, "gpuResource": "amd.com/gpu"})
