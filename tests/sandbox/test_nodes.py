"""The nodes of node pools, and how a cluster is brought in line with them."""

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox import nodes
from sandbox.layout import Layout, SandboxError
from sandbox.nodes import NODES_PER_POOL, _nodes, sync

POOL: dict[str, Any] = {
    "nodeSelector": {"cloud.google.com/gke-accelerator": "nvidia-l4"},
    "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "value": None, "effect": None}],
    "gpuResource": "nvidia.com/gpu",
}


class FakeCluster:
    """Stands in for kubectl: keeps nodes, which are ready as soon as they are created."""

    def __init__(self, *, ready: str = "True") -> None:
        self.ready = ready
        self.nodes: dict[str, Any] = {}
        self.calls: list[str] = []

    def kubectl(self, _: Layout, *arguments: str, stdin: str | None = None) -> str:
        match arguments:
            case ("get", *_):
                return json.dumps({"items": list(self.nodes.values())})
            case ("delete", "nodes", *names):
                self.calls.append(f"delete {' '.join(names)}")
                for name in names:
                    del self.nodes[name]
            case ("create", *_):
                items = json.loads(stdin or "")["items"]
                self.calls.append(f"create {' '.join(item['metadata']['name'] for item in items)}")
                for item in items:
                    status = {**item["status"], "conditions": [{"type": "Ready", "status": self.ready}]}
                    self.nodes[item["metadata"]["name"]] = {**item, "status": status}
        return ""


def test_nodes_match_their_pool() -> None:
    created = _nodes("gpu", POOL)
    assert [node["metadata"]["name"] for node in created] == [f"gpu-{index}" for index in range(NODES_PER_POOL)]
    assert created[0]["metadata"]["labels"]["cloud.google.com/gke-accelerator"] == "nvidia-l4"
    assert created[0]["spec"]["taints"] == [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}]
    assert created[0]["status"]["capacity"]["nvidia.com/gpu"] == "8"


def test_nodes_of_a_pool_without_gpus_have_none() -> None:
    capacity = _nodes("cpu", {**POOL, "gpuResource": None})[0]["status"]["capacity"]
    assert not any("gpu" in resource for resource in capacity)


def test_a_changed_pool_has_another_digest() -> None:
    def digest(pool: dict[str, Any]) -> str:
        return str(_nodes("gpu", pool)[0]["metadata"]["annotations"]["sandbox.ml-platform/digest"])

    assert digest(POOL) == digest(dict(POOL))
    assert digest(POOL) != digest({**POOL, "gpuResource": "amd.com/gpu"})


def test_sync_creates_replaces_and_deletes_only_what_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = FakeCluster()
    monkeypatch.setattr(nodes, "NODES_PER_POOL", 2)
    monkeypatch.setattr(nodes, "kubectl", cluster.kubectl)
    sync(Layout(tmp_path), {"cpu": {**POOL, "gpuResource": None}, "gpu": POOL})
    sync(Layout(tmp_path), {"cpu": {**POOL, "gpuResource": None}, "gpu": POOL})
    assert cluster.calls == ["create cpu-0 cpu-1 gpu-0 gpu-1"]
    sync(Layout(tmp_path), {"gpu": {**POOL, "gpuResource": "amd.com/gpu"}})
    assert cluster.calls[1:] == ["delete cpu-0 cpu-1 gpu-0 gpu-1", "create gpu-0 gpu-1"]
    assert cluster.nodes["gpu-0"]["status"]["capacity"]["amd.com/gpu"] == "8"


def test_nodes_that_do_not_become_ready_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "kubectl", FakeCluster(ready="False").kubectl)
    monkeypatch.setattr(nodes, "NODES_PER_POOL", 2)
    monkeypatch.setattr(nodes, "_READY_TIMEOUT", 0.1)
    with pytest.raises(SandboxError, match="nodes gpu-0, gpu-1 are not ready after 0 s"):
        sync(Layout(tmp_path), {"gpu": POOL})


def test_an_error_of_kubectl_is_reported_with_its_arguments(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.bin.mkdir(parents=True)
    (layout.bin / "kubectl").write_text("#!/bin/sh\necho forbidden >&2\nexit 1\n", encoding="utf-8")
    (layout.bin / "kubectl").chmod(0o755)
    with pytest.raises(SandboxError, match="kubectl get nodes: forbidden"):
        nodes.kubectl(layout, "get", "nodes")
