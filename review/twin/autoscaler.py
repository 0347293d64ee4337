"""The nodes that the autoscaler of a stack's node pools would add for pods that fit on no node."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from components.base.objects import Manifest, containers, selects
from components.base.quantities import parse_quantity
from review.cluster.nodes import tolerates_all
from review.twin.owners import condition, controller_of
from review.twin.restore import FAKE_NODE

POOL = "twin.ml-platform/pool"
"""The label of the nodes that were added to a pool."""

# A large cloud machine: of a pool without nodes, nothing is known.
_ASSUMED = {"cpu": "96", "memory": "768Gi", "ephemeral-storage": "1Ti"}
_ASSUMED_GPUS = "8"
_MAX_PODS = "110"
_HOSTNAME = "kubernetes.io/hostname"
# Taints that Kubernetes sets because of a node's state.
_STATE_TAINTS = ("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/")

Usage = dict[str, Decimal]
Pool = Mapping[str, Any]
"""A node pool of a stack, in the spelling of YAML."""


def new_nodes(pods: Sequence[Manifest], nodes: Sequence[Manifest], pools: Mapping[str, Pool]) -> Iterator[Manifest]:
    """The nodes to add to pools with ``autoscaling``. None for a pool with an added node that no pod has used."""
    waiting = [pod for pod in pods if is_unschedulable(pod)]
    used = {pod["spec"].get("nodeName") for pod in pods if (controller_of(pod) or {}).get("kind") != "DaemonSet"}
    for name, pool in pools.items():
        scaling = pool.get("autoscaling")
        if not scaling:
            continue
        members = members_of(pool, nodes)
        idle = [one for one in members if POOL in _labels(one) and one["metadata"]["name"] not in used]
        added = [] if idle else _packed(waiting, _templates(name, pool, members), int(scaling["max"]) - len(members))
        waiting = [
            pod for pod in waiting if not any(pod is packed for _, packed_pods in added for packed in packed_pods)
        ]
        yield from (node for node, _ in added)


def members_of(pool: Pool, nodes: Iterable[Manifest]) -> list[Manifest]:
    """The nodes of a pool."""
    return [one for one in nodes if pool["nodeSelector"].items() <= _labels(one).items()]


def is_unschedulable(pod: Manifest) -> bool:
    """Whether the scheduler has found no node for a pod, not even by preemption."""
    scheduled = condition(pod, "PodScheduled")
    is_rejected = (scheduled.get("status"), scheduled.get("reason")) == ("False", "Unschedulable")
    return is_rejected and "deletionTimestamp" not in pod["metadata"] and not pod["status"].get("nominatedNodeName")


def _packed(
    pods: Sequence[Manifest], templates: Iterator[Manifest], room: int
) -> list[tuple[Manifest, list[Manifest]]]:
    """As many nodes as the pods need that fit on them, each with its pods."""
    packed: list[tuple[Manifest, list[Manifest], Usage]] = []
    template: Manifest | None = None
    for pod in pods:
        needed = requests(pod)
        target = next((one for one in packed if _allows(one[0], pod) and _fits(needed, one[2])), None)
        if target is None and len(packed) < room:
            template = template or next(templates)
            free = {key: parse_quantity(value) for key, value in template["status"]["allocatable"].items()}
            if not _allows(template, pod) or not _fits(needed, free):
                continue
            target = template, [], free
            template = None
            packed.append(target)
        if target is not None:
            target[1].append(pod)
            for resource, quantity in needed.items():
                target[2][resource] -= quantity
    return [(node, own) for node, own, _ in packed]


def _templates(name: str, pool: Pool, members: Sequence[Manifest]) -> Iterator[Manifest]:
    """New nodes of a pool, like its existing ones in turn, so that they are in the same zones."""
    taken = {one["metadata"]["name"] for one in members}
    number = 0
    while True:
        number += 1
        node_name = f"{name}-twin-{number}"
        if node_name not in taken:
            yield _node(node_name, name, pool, members[number % len(members)] if members else None)


def _node(node_name: str, name: str, pool: Pool, like: Manifest | None) -> Manifest:
    selected = {**pool["nodeSelector"], "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    labels = {**(_labels(like) if like else selected), _HOSTNAME: node_name, POOL: name}
    taints = (
        [one for one in like["spec"].get("taints") or [] if not one["key"].startswith(_STATE_TAINTS)]
        if like
        else [_taint(one) for one in pool["tolerations"]]
    )
    resources = allocatable(pool, like)
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": node_name, "labels": labels, "annotations": {FAKE_NODE: "fake"}},
        "spec": {"taints": taints},
        "status": {
            "capacity": resources,
            "allocatable": resources,
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
        },
    }


def allocatable(pool: Pool, like: Manifest | None) -> dict[str, str]:
    """The resources of a new node of a pool."""
    stated = (pool.get("autoscaling") or {}).get("allocatable") or {}
    gpus = {pool["gpuResource"]: _ASSUMED_GPUS} if pool.get("gpuResource") else {}
    known: dict[str, str] = like["status"]["allocatable"] if like else {**_ASSUMED, **gpus}
    return {"pods": _MAX_PODS, **known, **stated}


def _taint(toleration: Mapping[str, Any]) -> dict[str, str]:
    """A taint that a toleration of the pool matches."""
    taint = {"key": toleration["key"], "effect": toleration.get("effect") or "NoSchedule"}
    return taint | ({"value": toleration["value"]} if toleration.get("value") else {})


def requests(pod: Manifest) -> Usage:
    """The resources that the scheduler reserves for a pod."""
    spec = pod["spec"]
    sidecars = [one for one in spec.get("initContainers") or [] if one.get("restartPolicy") == "Always"]
    running = [*sidecars, *spec["containers"]]
    total: Usage = {"pods": Decimal(1)}
    for container in running:
        for resource, quantity in _requested(container).items():
            total[resource] = total.get(resource, Decimal(0)) + quantity
    for container in containers(spec):
        for resource, quantity in _requested(container).items():
            total[resource] = max(total.get(resource, Decimal(0)), quantity)
    for resource, quantity in (spec.get("overhead") or {}).items():
        total[resource] = total.get(resource, Decimal(0)) + parse_quantity(quantity)
    return total


def _requested(container: Manifest) -> Usage:
    stated = (container.get("resources") or {}).get("requests") or {}
    return {resource: parse_quantity(quantity) for resource, quantity in stated.items()}


def _fits(needed: Usage, free: Usage) -> bool:
    return all(free.get(resource, Decimal(0)) >= quantity for resource, quantity in needed.items() if quantity)


def _allows(node: Manifest, pod: Manifest) -> bool:
    """Whether a pod may run on a node, by labels and taints."""
    spec, labels = pod["spec"], _labels(node)
    if not (spec.get("nodeSelector") or {}).items() <= labels.items():
        return False
    if not tolerates_all(spec.get("tolerations") or [], node):
        return False
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    return not required or any(_matches(term, labels) for term in required["nodeSelectorTerms"])


def _matches(term: Manifest, labels: Manifest) -> bool:
    # Gt and Lt, and fields, are left to the scheduler.
    known = [one for one in term.get("matchExpressions") or [] if one["operator"] not in {"Gt", "Lt"}]
    return selects({"matchExpressions": known}, labels)


def _labels(node: Manifest) -> Manifest:
    labels: Manifest = node["metadata"].get("labels") or {}
    return labels
