"""The nodes that an autoscaler would add."""

from decimal import Decimal
from typing import Any

import pytest

from components.base.objects import Manifest
from review.twin.autoscaler import POOL, allocatable, is_unschedulable, members_of, new_nodes, requests
from review.twin.restore import FAKE_NODE

GPU = "nvidia.com/gpu"
TOLERATION = {"key": GPU, "operator": "Exists", "value": None, "effect": "NoSchedule"}


def pool(**changes: Any) -> dict[str, Any]:
    gpu = {"nodeSelector": {"pool": "gpu"}, "tolerations": [TOLERATION], "gpuResource": GPU}
    return {**gpu, "autoscaling": {"max": 3, "allocatable": {}}, **changes}


def node(name: str, gpus: str = "2", **changes: Any) -> Manifest:
    labels = {"pool": "gpu", "kubernetes.io/hostname": name, "zone": f"zone-{name}"}
    taints = [{"key": GPU, "value": "present", "effect": "NoSchedule"}]
    taints.append({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"})
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": {"taints": taints},
        "status": {"allocatable": {"cpu": "8", "memory": "32Gi", GPU: gpus}},
        **changes,
    }


def pod(name: str, *, gpus: str = "1", tolerations: Any = (TOLERATION,), **spec: Any) -> Manifest:
    """A pod that the scheduler has rejected."""
    container = {"name": "main", "resources": {"requests": {"cpu": "1", GPU: gpus}}}
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"nodeSelector": {"pool": "gpu"}, "tolerations": list(tolerations), "containers": [container], **spec},
        "status": {"conditions": [condition]},
    }


def names(pods: list[Manifest], nodes: list[Manifest], **pools: dict[str, Any]) -> list[str]:
    return [one["metadata"]["name"] for one in new_nodes(pods, nodes, pools)]


def test_as_many_nodes_as_the_pods_need() -> None:
    pods = [pod(str(number)) for number in range(3)]
    assert names(pods, [node("a")], gpu=pool()) == ["gpu-twin-1", "gpu-twin-2"]
    assert names(pods[:2], [node("a")], gpu=pool()) == ["gpu-twin-1"]
    assert names([], [node("a")], gpu=pool()) == []


def test_no_more_nodes_than_the_maximum() -> None:
    pods = [pod(str(number), gpus="2") for number in range(5)]
    assert names(pods, [node("a")], gpu=pool()) == ["gpu-twin-1", "gpu-twin-2"]
    assert names(pods, [node("a"), node("b"), node("c"), node("d")], gpu=pool()) == []
    assert names(pods, [node("a")], gpu=pool(autoscaling=None)) == []


def test_a_new_node_is_like_an_existing_one() -> None:
    first, second = new_nodes(
        [pod("a", gpus="2"), pod("b", gpus="2")], [node("a"), node("b")], {"gpu": pool(autoscaling={"max": 4})}
    )
    assert (first["metadata"]["labels"]["zone"], second["metadata"]["labels"]["zone"]) == ("zone-b", "zone-a")
    assert first["metadata"]["labels"]["kubernetes.io/hostname"] == first["metadata"]["name"]
    assert first["metadata"]["labels"][POOL] == "gpu"
    assert first["metadata"]["annotations"] == {FAKE_NODE: "fake"}
    assert first["spec"]["taints"] == [{"key": GPU, "value": "present", "effect": "NoSchedule"}]
    assert first["status"]["allocatable"] == {"pods": "110", "cpu": "8", "memory": "32Gi", GPU: "2"}
    assert first["status"]["conditions"][0]["status"] == "True"


def test_a_pool_without_nodes_is_described_by_the_stack() -> None:
    scaling = {"max": 1, "allocatable": {"cpu": "4", GPU: "1"}}
    (made,) = new_nodes([pod("a")], [], {"gpu": pool(autoscaling=scaling)})
    assert made["metadata"]["labels"]["pool"] == "gpu"
    assert made["spec"]["taints"] == [{"key": GPU, "effect": "NoSchedule"}]
    assert made["status"]["allocatable"] == {
        "pods": "110", "cpu": "4", "memory": "768Gi", "ephemeral-storage": "1Ti", GPU: "1",
    }  # fmt: skip
    assert names([pod("a", gpus="2")], [], gpu=pool(autoscaling=scaling)) == []
    toleration = {"key": "team", "operator": "Equal", "value": "nlp", "effect": None}
    equal = pod("a", tolerations=[{"key": "team", "operator": "Equal", "value": "nlp"}])
    (made,) = new_nodes([equal], [], {"gpu": pool(tolerations=[toleration])})
    assert made["spec"]["taints"] == [{"key": "team", "value": "nlp", "effect": "NoSchedule"}]
    assert allocatable(pool(), None)[GPU] == "8"
    assert GPU not in allocatable(pool(gpuResource=None), None)


AFFINITY = "requiredDuringSchedulingIgnoredDuringExecution"


def affinity(operator: str, *values: str) -> dict[str, Any]:
    term = {"matchExpressions": [{"key": "zone", "operator": operator, "values": list(values)}]}
    return {"nodeAffinity": {AFFINITY: {"nodeSelectorTerms": [term]}}}


@pytest.mark.parametrize(
    ("helped", "changes"),
    [
        (True, {}),
        (True, {"affinity": affinity("In", "zone-a")}),
        (False, {"affinity": affinity("In", "zone-b")}),
        (True, {"affinity": affinity("Gt", "1")}),
        (False, {"nodeSelector": {"pool": "cpu"}}),
        (False, {"tolerations": ()}),
        (False, {"gpus": "4"}),
        (False, {"overhead": {"cpu": "8"}}),
    ],
)
def test_a_pod_that_does_not_fit_on_a_new_node_adds_none(helped: bool, changes: dict[str, Any]) -> None:
    assert names([pod("a", **changes)], [node("a")], gpu=pool()) == (["gpu-twin-1"] if helped else [])


def test_a_node_that_no_pod_uses_is_the_last_one_of_its_pool() -> None:
    (added,) = new_nodes([pod("a")], [node("a")], {"gpu": pool()})
    nodes = [node("a"), added]
    daemon = pod("daemon", nodeName=added["metadata"]["name"])
    daemon["metadata"]["ownerReferences"] = [{"kind": "DaemonSet", "controller": True}]
    assert names([pod("a"), daemon], nodes, gpu=pool()) == []
    user = pod("user", nodeName=added["metadata"]["name"])
    assert names([pod("a"), user], nodes, gpu=pool()) == ["gpu-twin-2"]


def test_a_pod_is_helped_by_one_pool_only() -> None:
    assert names([pod("a")], [node("a")], one=pool(), two=pool()) == ["one-twin-1"]


@pytest.mark.parametrize(
    "change",
    [
        {"metadata": {"name": "a", "deletionTimestamp": "x"}},
        {"status": {"conditions": [{"type": "PodScheduled", "status": "True"}]}},
        {"status": {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]}},
        {"status": {**pod("a")["status"], "nominatedNodeName": "a"}},
    ],
)
def test_pods_that_need_no_node(change: dict[str, Any]) -> None:
    assert is_unschedulable(pod("a"))
    assert not is_unschedulable({**pod("a"), **change})


def test_the_nodes_of_a_pool() -> None:
    nodes = [node("a"), node("b", metadata={"name": "b"})]
    assert members_of(pool(), nodes) == [nodes[0]]


def test_requests_are_those_of_the_scheduler() -> None:
    def container(cpu: str, **fields: Any) -> dict[str, Any]:
        return {"resources": {"requests": {"cpu": cpu}}, **fields}

    spec = {
        "initContainers": [container("5"), container("1", restartPolicy="Always")],
        "containers": [container("1"), container("2"), {}],
        "overhead": {"cpu": "500m"},
    }
    assert requests({"spec": spec}) == {"pods": 1, "cpu": Decimal("5.5")}
    spec["initContainers"] = []
    assert requests({"spec": spec})["cpu"] == Decimal("3.5")
