"""The nodes of a stack's node pools: real to the API server and the scheduler, run by kwok."""

import hashlib
import json
import subprocess
import time
from typing import Any

from sandbox.layout import Layout, SandboxError
from sandbox.progress import step

NODES_PER_POOL = 2
# A node of a large cloud machine with eight GPUs.
_CAPACITY = {"cpu": "96", "memory": "768Gi", "ephemeral-storage": "1Ti", "pods": "110"}
_GPUS = "8"
_READY_TIMEOUT = 60.0
_DIGEST = "sandbox.ml-platform/digest"


def sync(layout: Layout, pools: dict[str, dict[str, Any]]) -> None:
    """Make the cluster's nodes those of the node pools: two for each, none besides."""
    wanted = {node["metadata"]["name"]: node for pool in pools.items() for node in _nodes(*pool)}
    found = json.loads(kubectl(layout, "get", "nodes", "-l", "sandbox.ml-platform/node=true", "-o", "json"))
    present = {node["metadata"]["name"]: node["metadata"]["annotations"].get(_DIGEST) for node in found["items"]}
    same = {name for name, node in wanted.items() if present.get(name) == node["metadata"]["annotations"][_DIGEST]}
    stale, new = sorted(present.keys() - same), [node for name, node in wanted.items() if name not in same]
    if not stale and not new:
        return
    with step(f"nodes: {len(new)} new, {len(stale)} removed, for {', '.join(pools) or 'no pools'}"):
        if stale:
            kubectl(layout, "delete", "nodes", *stale)
        if new:
            kubectl(layout, "create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": new}))
        _wait_until_schedulable(layout, set(wanted))


def _wait_until_schedulable(layout: Layout, names: set[str]) -> None:
    """Wait until the nodes are ready and the taint that they are born with is gone."""
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
            time.sleep(0.2)


def _nodes(name: str, pool: dict[str, Any]) -> list[dict[str, Any]]:
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


def _taint(toleration: dict[str, Any]) -> dict[str, str]:
    """A taint that the toleration tolerates."""
    return {
        "key": toleration["key"],
        "value": toleration["value"] or "present",
        "effect": toleration["effect"] or "NoSchedule",
    }


def kubectl(layout: Layout, *arguments: str, stdin: str | None = None) -> str:
    """Run kubectl against the sandbox, and return what it prints."""
    command = [str(layout.bin / "kubectl"), f"--kubeconfig={layout.kubeconfig}", *arguments]
    done = subprocess.run(command, input=stdin or "", capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SandboxError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout
