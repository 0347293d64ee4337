"""A large cluster, made of copies of the objects of a small one."""

import copy
import uuid
from dataclasses import replace

from components.base.objects import Manifest
from review.twin.snapshot import Snapshot

_PODS_PER_WORKLOAD, _WORKLOADS_PER_NAMESPACE = 10, 10


def large(small: Snapshot, nodes: int, pods: int) -> Snapshot:
    """A snapshot with more nodes, and with copies of the Deployment model-serving that run on them."""
    objects = list(small.objects)
    (node,) = (one for one in small.of_kind("Node") if one["metadata"]["name"] == "cpu-0")
    for number in range(nodes):
        made = _copy(node, f"large-{number}", "")
        made["metadata"]["labels"]["kubernetes.io/hostname"] = made["metadata"]["name"]
        objects.append(made)
    for number in range(pods // _PODS_PER_WORKLOAD):
        namespace = f"large-{number // _WORKLOADS_PER_NAMESPACE}"
        if number % _WORKLOADS_PER_NAMESPACE == 0:
            objects += _namespace(small, namespace)
        objects += _workload(small, namespace, number, nodes)
    return replace(small, objects=tuple(objects))


def _copy(manifest: Manifest, name: str, namespace: str) -> Manifest:
    made = copy.deepcopy(manifest)
    made["metadata"] |= {"name": name, "uid": str(uuid.uuid4())}
    if namespace:
        made["metadata"]["namespace"] = namespace
    return made


def _namespace(small: Snapshot, name: str) -> list[Manifest]:
    (original,) = (one for one in small.of_kind("Namespace") if one["metadata"]["name"] == "ml-serving")
    made = _copy(original, name, "")
    made["metadata"]["labels"]["kubernetes.io/metadata.name"] = name
    accounts = [one for one in small.of_kind("ServiceAccount") if one["metadata"]["namespace"] == "ml-serving"]
    return [made, *(_copy(one, one["metadata"]["name"], name) for one in accounts)]


def _workload(small: Snapshot, namespace: str, number: int, nodes: int) -> list[Manifest]:
    """A Deployment with its ReplicaSet, pods and Service."""
    app, digest = f"app-{number}", "84c66c95b5"
    names = {"Deployment": app, "ReplicaSet": f"{app}-{digest}", "Service": app}
    made = {kind: _copy(_serving(small, kind)[0], name, namespace) for kind, name in names.items()}
    pods = [
        _copy(_serving(small, "Pod")[0], f"{app}-{digest}-{index}", namespace) for index in range(_PODS_PER_WORKLOAD)
    ]
    for one in (*made.values(), *pods):
        template = one["spec"].get("template", one)
        for labels in (one["metadata"].get("labels"), template["metadata"].get("labels")):
            if labels is not None:
                labels["app"] = app
        selector = one["spec"].get("selector", {})
        selector.get("matchLabels", selector)["app"] = app
        if "containers" in template["spec"]:
            template["spec"] |= {"nodeSelector": {}, "topologySpreadConstraints": []}
            template["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "1"}, "limits": {"cpu": "2"}}
    for kind in ("Deployment", "ReplicaSet"):
        made[kind]["spec"]["replicas"] = _PODS_PER_WORKLOAD
        made[kind]["status"] = {
            name: _PODS_PER_WORKLOAD if name.lower().endswith("replicas") else value
            for name, value in made[kind]["status"].items()
        }
    annotations = made["ReplicaSet"]["metadata"]["annotations"]
    annotations["deployment.kubernetes.io/desired-replicas"] = str(_PODS_PER_WORKLOAD)
    annotations["deployment.kubernetes.io/max-replicas"] = str(_PODS_PER_WORKLOAD + 1)
    for owned, owner in [(made["ReplicaSet"], made["Deployment"]), *((pod, made["ReplicaSet"]) for pod in pods)]:
        owned["metadata"]["ownerReferences"][0] |= {key: owner["metadata"][key] for key in ("name", "uid")}
    for index, pod in enumerate(pods):
        pod["spec"]["nodeName"] = f"large-{(number * _PODS_PER_WORKLOAD + index) % nodes}"
    address = f"10.96.{100 + number // 250}.{number % 250 + 1}"
    made["Service"]["spec"] = {
        "type": "ClusterIP",
        "clusterIP": address,
        "clusterIPs": [address],
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "selector": made["Service"]["spec"]["selector"],
        "ports": [{"port": 80, "targetPort": 8080, "protocol": "TCP"}],
        "sessionAffinity": "None",
    }
    made["Service"]["status"] = {"loadBalancer": {}}
    return [*made.values(), *pods]


def _serving(small: Snapshot, kind: str) -> list[Manifest]:
    return [one for one in small.of_kind(kind) if one["metadata"].get("namespace") == "ml-serving"]
