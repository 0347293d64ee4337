"""Changes that a team might propose: forty harmful ones, and forty harmless ones.

They edit plain manifests, those of the prod stack, so that only the review stands between them and the cluster: the
components reject many of the harmful ones earlier.
"""

import copy
from typing import Any

from tests.edits import Edit, Objects, append, drop, edited, every, put
from tests.review.prod import GIVEN, parsed


def base(*edits: Edit) -> Objects:
    """The objects of the prod stack by resource name, namespaces first, with edits."""
    found = {step.urn.rpartition("::")[2]: step.before for step in parsed(GIVEN).steps if step.before}
    ordered = dict(sorted(found.items(), key=lambda item: item[1]["kind"] != "Namespace"))
    return edited(ordered, *edits)


SERVING, SERVICE, BUDGET = "model-serving-deployment", "model-serving-service", "model-serving-disruption-budget"
JOB = "image-classifier-job"
_POD = f"{SERVING}/spec/template/spec"
_MAIN = f"{_POD}/containers/0"
_RESOURCES = f"{_MAIN}/resources"
_CONTEXT = f"{_MAIN}/securityContext"
_QUOTA = "ml-serving-quota/spec/hard"
_ENFORCE = "metadata/labels/pod-security.kubernetes.io~1enforce"
_RBAC = "rbac.authorization.k8s.io/v1"


def _new(version: str, kind: str, name: str, namespace: str | None = "ml-serving", **fields: Any) -> Edit:
    """A new object."""
    metadata = {"name": name, "labels": {"team": "nlp"}, **({"namespace": namespace} if namespace else {})}
    return put(f"new-{kind.lower()}-{name}", {"apiVersion": version, "kind": kind, "metadata": metadata, **fields})


def _copy(source: str, name: str, *edits: Edit) -> Edit:
    """A copy of a workload as the object ``new``, with another name and another app label."""

    def edit(objects: Objects) -> None:
        made = copy.deepcopy(objects[source])
        made["metadata"]["name"] = name
        made["spec"]["template"]["metadata"]["labels"]["app"] = name
        objects["new"] = made
        every(*edits)(objects)

    return edit


def _volume(**source: Any) -> Edit:
    volumes = [{"name": "tmp", "emptyDir": {}}, {"name": "extra", **source}]
    mounts = [{"name": "tmp", "mountPath": "/tmp"}, {"name": "extra", "mountPath": "/extra"}]
    return every(put(f"{_POD}/volumes", volumes), put(f"{_MAIN}/volumeMounts", mounts))


def _variable(**variable: Any) -> Edit:
    return put(f"{_MAIN}/env", [variable])


def _both(resource: str, requested: str, limit: str | None = None) -> Edit:
    """A request and a limit of the container."""
    key = resource.replace("/", "~1")
    return every(put(f"{_RESOURCES}/requests/{key}", requested), put(f"{_RESOURCES}/limits/{key}", limit or requested))


def _autoscaler(maximum: int) -> Edit:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "model-serving"}
    spec = {"minReplicas": 3, "maxReplicas": maximum, "scaleTargetRef": target}
    return every(drop(f"{SERVING}/spec/replicas"), _new("autoscaling/v2", "HorizontalPodAutoscaler", "s", spec=spec))


def _service(name: str, namespace: str, app: str, **spec: Any) -> Edit:
    ports = [{"port": 80, "targetPort": "http"}]
    return _new("v1", "Service", name, namespace, spec={"selector": {"app": app}, "ports": ports, **spec})


_CLAIM = {"accessModes": ["ReadWriteOnce"], "storageClassName": "fast", "resources": {"requests": {"storage": "1Gi"}}}
_ADMINS: dict[str, Any] = {
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "nlp"}],
}
_SELECTED = {"matchLabels": {"app": "inference-server"}}

HARMFUL: dict[str, Edit] = {
    "over the GPU quota by one replica": put(f"{SERVING}/spec/replicas", 9),
    "over the GPU quota by the surge of a rollout": every(
        put(f"{SERVING}/spec/replicas", 7), put(f"{SERVING}/spec/strategy/rollingUpdate/maxSurge", "25%")
    ),
    "over the GPU quota by GPUs per pod": _both("nvidia.com/gpu", "3"),
    "over the GPU quota by the maximum of an autoscaler": _autoscaler(12),
    "over the memory quota": _both("memory", "24Gi"),
    "over the CPU quota": put(f"{_RESOURCES}/limits/cpu", "30"),
    "over the pod quota by a new job": _copy(
        JOB, "many", put("new/spec/parallelism", 20), put("new/spec/completions", 20)
    ),
    "a quota below the current use": put(f"{_QUOTA}/requests.nvidia.com~1gpu", "2"),
    "another selector of a Deployment": every(
        put(f"{SERVING}/spec/selector/matchLabels/app", "bert"),
        put(f"{SERVING}/spec/template/metadata/labels/app", "bert"),
        put(f"{SERVICE}/spec/selector/app", "bert"),
        put(f"{BUDGET}/spec/selector/matchLabels/app", "bert"),
    ),
    "another image of a Job": put(f"{JOB}/spec/template/spec/containers/0/image", "tensorflow/tensorflow:2.16.0"),
    "another command of a running pod": put("pytorch-training-pod/spec/containers/0/command", ["python", "other.py"]),
    "another name of a load balancer": put(f"{SERVICE}/metadata/name", "bert-api"),
    "a load balancer that becomes internal": put(f"{SERVICE}/spec/type", "ClusterIP"),
    "a deleted Service": drop(SERVICE),
    "a claim that does not exist": _volume(persistentVolumeClaim={"claimName": "models"}),
    "a Secret that does not exist": _variable(
        name="HF_TOKEN", valueFrom={"secretKeyRef": {"name": "hub", "key": "token"}}
    ),
    "a ConfigMap that does not exist": _volume(configMap={"name": "settings"}),
    "a PriorityClass that does not exist": put(f"{_POD}/priorityClassName", "gold"),
    "a ServiceAccount that does not exist": put(f"{_POD}/serviceAccountName", "robot"),
    "a RuntimeClass that does not exist": put(f"{_POD}/runtimeClassName", "nvidia"),
    "a StorageClass that does not exist": _volume(ephemeral={"volumeClaimTemplate": {"spec": _CLAIM}}),
    "a node pool that does not exist": put(f"{_POD}/nodeSelector", {"cloud.google.com/gke-accelerator": "nvidia-l40"}),
    "a namespace that does not exist": _copy(JOB, "lost", put("new/metadata/namespace", "ml-trainin")),
    "a kind that the cluster does not serve": _new(
        "keda.sh/v1alpha1", "ScaledObject", "s", spec={"scaleTargetRef": {"name": "model-serving"}}
    ),
    "a container as root": every(put(f"{_CONTEXT}/runAsUser", 0), put(f"{_CONTEXT}/runAsNonRoot", False)),
    "a privileged container": put(f"{_CONTEXT}/privileged", True),
    "a directory of the node": _volume(hostPath={"path": "/var/run"}),
    "Pod Security disabled": put(f"ml-serving-namespace/{_ENFORCE}", "privileged"),
    "an image with the tag latest": put(f"{_MAIN}/image", "myregistry/bert-serving:latest"),
    "a typo in the path of an image": put(f"{_MAIN}/image", "myregistry/Bert-serving:v1.3"),
    "a typo in the tag of an image": put(f"{_MAIN}/image", "myregistry/bert-serving:v1,3"),
    "a load balancer where the team may have none": _service(
        "open", "ml-training", "ml-training", type="LoadBalancer", ports=[{"port": 80}]
    ),
    "a selector that matches nothing": put(f"{SERVICE}/spec/selector/app", "infrence-server"),
    "a Service on a port that no container opens": put(f"{SERVICE}/spec/ports/0/targetPort", 8000),
    "a probe on a port that no container opens": put(f"{_MAIN}/readinessProbe/httpGet/port", 9090),
    "a deadline below the startup budget": put(f"{SERVING}/spec/progressDeadlineSeconds", 120),
    "a disruption budget that allows no disruption": put(f"{BUDGET}/spec", {"minAvailable": 3, "selector": _SELECTED}),
    "cluster-admin for a team": _new(_RBAC, "RoleBinding", "admins", **_ADMINS),
    "a password in a variable": _variable(name="DB_PASSWORD", value="hunter2"),
    "a GPU without a toleration": put(f"{_POD}/tolerations", []),
}


def _container(name: str) -> dict[str, Any]:
    context = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    resources = {"cpu": "100m", "memory": "128Mi"}
    return {
        "name": name,
        "image": "myregistry/helper:v1",
        "resources": {"requests": resources, "limits": resources},
        "securityContext": context,
    }


_READER = [{"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list"]}]
_INGRESS = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"ports": [{"port": 9090}]}]}
_HARD = {"requests.cpu": "4", "requests.memory": "8Gi", "pods": "5"}

HARMLESS: dict[str, Edit] = {
    "no change": every(),
    "a new version": put(f"{_MAIN}/image", "myregistry/bert-serving:v1.3"),
    "an image by its digest": put(f"{_MAIN}/image", "myregistry/bert-serving@sha256:" + "0123456789abcdef" * 4),
    "a registry with a port": put(f"{_MAIN}/image", "registry.example.com:5000/bert:v2"),
    "one more replica": put(f"{SERVING}/spec/replicas", 4),
    "as many replicas as the quota allows": put(f"{SERVING}/spec/replicas", 8),
    "one replica less": put(f"{SERVING}/spec/replicas", 2),
    "two GPUs per pod": _both("nvidia.com/gpu", "2"),
    "an autoscaler within the quota": _autoscaler(6),
    "more memory": _both("memory", "6Gi", "12Gi"),
    "a variable": _variable(name="BATCH", value="32"),
    "a variable whose name resembles that of a secret": _variable(name="TOKENIZER_PATH", value="/models/tokenizer"),
    "a variable from an existing Secret": _variable(
        name="HF_TOKEN", valueFrom={"secretKeyRef": {"name": "there", "key": "token"}}
    ),
    "an optional Secret": _variable(
        name="X", valueFrom={"secretKeyRef": {"name": "hub", "key": "token", "optional": True}}
    ),
    "an existing ConfigMap": _volume(configMap={"name": "there"}),
    "a ConfigMap of the same change": every(
        _volume(configMap={"name": "settings"}), _new("v1", "ConfigMap", "settings", data={"a": "b"})
    ),
    "a memory-backed volume": _volume(emptyDir={"medium": "Memory", "sizeLimit": "1Gi"}),
    "other arguments": put(f"{_MAIN}/args", ["--max-tokens", "512"]),
    "an annotation": put(f"{SERVING}/metadata/annotations/example.com~1runbook", "https://example.com/bert"),
    "a label": put(f"{SERVING}/metadata/labels/experiment", "b"),
    "an annotation of the load balancer": put(f"{SERVICE}/metadata/annotations/example.com~1internal", "true"),
    "another port for clients": put(f"{SERVICE}/spec/ports/0/port", 8081),
    "a more patient readiness probe": put(f"{_MAIN}/readinessProbe/failureThreshold", 6),
    "a longer startup budget": every(
        put(f"{_MAIN}/startupProbe/failureThreshold", 120), put(f"{SERVING}/spec/progressDeadlineSeconds", 1500)
    ),
    "a longer drain": put(f"{_POD}/terminationGracePeriodSeconds", 120),
    "another number of old versions": put(f"{SERVING}/spec/revisionHistoryLimit", 3),
    "a sidecar": append(f"{_POD}/containers", _container("proxy")),
    "an init container": put(f"{_POD}/initContainers", [_container("stage")]),
    "one more node label": put(f"{_POD}/nodeSelector/kubernetes.io~1os", "linux"),
    "one more toleration": append(f"{_POD}/tolerations", {"key": "spot", "operator": "Exists"}),
    "a disruption budget in percent": put(f"{BUDGET}/spec", {"maxUnavailable": "34%", "selector": _SELECTED}),
    "more quota": put(f"{_QUOTA}/pods", "40"),
    "less quota than was unused": put("data-pipeline-quota/spec/hard/pods", "10"),
    "a new job": _copy(JOB, "again"),
    "a deadline of a job": put(f"{JOB}/spec/activeDeadlineSeconds", 3600),
    "a second Service": _service("internal", "ml-serving", "inference-server", type="ClusterIP"),
    "a ServiceAccount": _new("v1", "ServiceAccount", "robot", automountServiceAccountToken=False),
    "a narrow role": _new(_RBAC, "Role", "reader", rules=_READER),
    "a NetworkPolicy": _new("networking.k8s.io/v1", "NetworkPolicy", "metrics", spec=_INGRESS),
    "a new team": every(
        _new("v1", "Namespace", "ml-new", None),
        put(f"new-namespace-ml-new/{_ENFORCE}", "restricted"),
        _new("v1", "ResourceQuota", "quota", "ml-new", spec={"hard": _HARD}),
    ),
}
