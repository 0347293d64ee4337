"""The nodes of a stack's node pools: Node objects that kwok keeps ready, without a machine behind them."""

import hashlib
import json
import subprocess
import time
from collections.abc import Mapping
from typing import Any

from sandbox.layout import Layout, SandboxError
from sandbox.progress import step

NODES_PER_POOL = 2
# A large cloud machine with eight GPUs.
_CAPACITY = {"cpu": "96", "memory": "768Gi", "ephemeral-storage": "1Ti", "pods": "110"}
_GPUS = "8"
# In seconds.
_READY_TIMEOUT = 60.0
_POLL_INTERVAL = 0.2
_DIGEST = "sandbox.ml-platform/digest"

NodePools = Mapping[str, Mapping[str, Any]]
"""Node pools by name, spelled as in a stack file, with all defaults: nodeSelector, tolerations, gpuResource."""


def sync(layout: Layout, pools: NodePools) -> None:
    """Create, replace and delete nodes until the cluster has exactly ``NODES_PER_POOL`` nodes for each pool."""
    desired = {node["metadata"]["name"]: node for name, pool in pools.items() for node in _nodes(name, pool)}
    found = json.loads(kubectl(layout, "get", "nodes", "-l", "sandbox.ml-platform/node=true", "-o", "json"))
    existing = {node["metadata"]["name"]: node["metadata"]["annotations"].get(_DIGEST) for node in found["items"]}
    unchanged = {
        name for name, node in desired.items() if existing.get(name) == node["metadata"]["annotations"][_DIGEST]
    }
    stale, new = sorted(existing.keys() - unchanged), [desired[name] for name in desired if name not in unchanged]
    if not stale and not new:
        return
    with step(f"nodes: {len(new)} new, {len(stale)} removed, for {', '.join(pools) or 'no pools'}"):
        if stale:
            kubectl(layout, "delete", "nodes", *stale)
        if new:
            kubectl(layout, "create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": new}))
        _wait_until_schedulable(layout, set(desired))


def _wait_until_schedulable(layout: Layout, names: set[str]) -> None:
    """Wait until the nodes are ready and no longer have the not-ready taint that every new node gets."""
    end = time.monotonic() + _READY_TIMEOUT
    while names:
        for node in json.loads(kubectl(layout, "get", "nodes", "-o", "json"))["items"]:
            taints = {taint["key"] for taint in node["spec"].get("taints", [])}
            conditions = {condition["type"]: condition["status"] for condition in node["status"].get("conditions", [])}
            if conditions.get("Ready") == "True" and "node.kubernetes.io/not-ready" not in taints:
                names.discard(node["metadata"]["name"])
        if time.monotonic() > end:
            raise SandboxError(f"nodes {', '.join(sorted(names))} are not ready after {_READY_TIMEOUT:.0f} s")
        if names:
            time.sleep(_POLL_INTERVAL)


def _nodes(name: str, pool: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The Node manifests of one pool."""
    capacity = dict(_CAPACITY)
    if pool["gpuResource"]:
        capacity[pool["gpuResource"]] = _GPUS
    taints = [_taint(toleration) for toleration in pool["tolerations"]]
    digest = hashlib.sha256(json.dumps([pool["nodeSelector"], taints, capacity], sort_keys=True).encode()).hexdigest()
    labels = {"sandbox.ml-platform/node": "true", "sandbox.ml-platform/pool": name, "kubernetes.io/os": "linux"}
    return [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": f"{name}-{index}",
                "labels": {**labels, "kubernetes.io/hostname": f"{name}-{index}", **pool["nodeSelector"]},
                "annotations": {"kwok.x-k8s.io/node": "fake", _DIGEST: digest[:16]},
            },
            "spec": {"taints": taints},
            "status": {"capacity": capacity, "allocatable": capacity},
        }
        for index in range(NODES_PER_POOL)
    ]


def _taint(toleration: Mapping[str, Any]) -> dict[str, str]:
    """A taint that matches the toleration."""
    return {
        "key": toleration["key"],
        "value": toleration["value"] or "present",
        "effect": toleration["effect"] or "NoSchedule",
    }


def kubectl(layout: Layout, *arguments: str, stdin: str | None = None) -> str:
    """Run kubectl as the sandbox's administrator, and return its standard output."""
    command = [str(layout.bin / "kubectl"), f"--kubeconfig={layout.kubeconfig}", *arguments]
    done = subprocess.run(command, input=stdin or "", capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SandboxError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout
