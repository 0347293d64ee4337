"""Changes that a team might propose: forty that would do harm, and forty that would not.

They are edits of plain manifests, those of the prod stack, so that nothing but the review stands
between them and the cluster: the components refuse many of the harmful ones before that.
"""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

from review.preview import parse

Manifests = dict[str, dict[str, Any]]
Edit = Callable[[Manifests], None]


def base() -> Manifests:
    """The objects of the prod stack by resource name, namespaces first."""
    preview = parse((Path(__file__).parent / "prod-change.json").read_text(encoding="utf-8"))
    found = {step.urn.rpartition("::")[2]: dict(step.before) for step in preview.steps if step.before}
    return dict(sorted(copy.deepcopy(found).items(), key=lambda item: item[1]["kind"] != "Namespace"))


SERVING, SERVICE, BUDGET = "model-serving-deployment", "model-serving-service", "model-serving-disruption-budget"
JOB, POD = "image-classifier-job", "pytorch-training-pod"
_MAIN = "spec.template.spec.containers.0"


def _steps(path: str) -> list[Any]:
    return [int(key) if key.isdigit() else key.replace("~", ".") for key in path.split(".")]


def put(name: str, path: str, value: Any) -> Edit:
    """Set a value; keys with a dot in them are written with a tilde."""

    def edit(manifests: Manifests) -> None:
        where: Any = manifests[name]
        *parents, last = _steps(path)
        for key in parents:
            where = where.setdefault(key, {}) if isinstance(where, dict) else where[key]
        where[last] = value

    return edit


def nothing(manifests: Manifests) -> None:
    pass


def every(*edits: Edit) -> Edit:
    def edit(manifests: Manifests) -> None:
        for one in edits:
            one(manifests)

    return edit


def drop(name: str, path: str) -> Edit:
    def edit(manifests: Manifests) -> None:
        where: Any = manifests[name]
        *parents, last = _steps(path)
        for key in parents:
            where = where[key]
        del where[last]

    return edit


def remove(name: str) -> Edit:
    def edit(manifests: Manifests) -> None:
        del manifests[name]

    return edit


def add(version: str, kind: str, name: str, place: str | None = "ml-serving", **fields: Any) -> Edit:
    metadata = {"name": name, "labels": {"team": "nlp"}, **({"namespace": place} if place else {})}
    made = {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}

    def edit(manifests: Manifests) -> None:
        manifests[f"new-{kind.lower()}-{name}"] = made

    return edit


def another(source: str, name: str, *edits: Edit) -> Edit:
    """A copy of an object under another name, whose pods have another app label."""

    def edit(manifests: Manifests) -> None:
        made = copy.deepcopy(manifests[source])
        made["metadata"]["name"] = name
        if "template" in made["spec"]:
            made["spec"]["template"]["metadata"]["labels"]["app"] = name
            if "selector" in made["spec"]:
                made["spec"]["selector"]["matchLabels"]["app"] = name
        manifests["new"] = made
        for one in edits:
            one(manifests)

    return edit


_VOLUMES, _MOUNTS = "spec.template.spec.volumes", f"{_MAIN}.volumeMounts"


def _volume(**source: Any) -> Edit:
    volumes = [{"name": "tmp", "emptyDir": {}}, {"name": "extra", **source}]
    mounts = [{"name": "tmp", "mountPath": "/tmp"}, {"name": "extra", "mountPath": "/extra"}]
    return every(put(SERVING, _VOLUMES, volumes), put(SERVING, _MOUNTS, mounts))


def _env(**variable: Any) -> Edit:
    return put(SERVING, f"{_MAIN}.env", [variable])


_GPUS = f"{_MAIN}.resources"
_CONTEXT = f"{_MAIN}.securityContext"
_RBAC = "rbac.authorization.k8s.io/v1"


def _gpus(count: str) -> Edit:
    return every(
        put(SERVING, f"{_GPUS}.limits.nvidia~com/gpu", count), put(SERVING, f"{_GPUS}.requests.nvidia~com/gpu", count)
    )


def _scaler(most: int) -> Edit:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "model-serving"}
    scaler = add(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        "s",
        spec={"minReplicas": 3, "maxReplicas": most, "scaleTargetRef": target},
    )
    return every(drop(SERVING, "spec.replicas"), scaler)


HARMFUL: dict[str, Edit] = {
    "over the GPU quota by one replica": put(SERVING, "spec.replicas", 9),
    "over the GPU quota by the surge of a rollout": every(
        put(SERVING, "spec.replicas", 7), put(SERVING, "spec.strategy.rollingUpdate.maxSurge", "25%")
    ),
    "over the GPU quota by GPUs per pod": _gpus("3"),
    "over the GPU quota by an autoscaler's maximum": _scaler(12),
    "over the memory quota": every(
        put(SERVING, f"{_GPUS}.requests.memory", "24Gi"), put(SERVING, f"{_GPUS}.limits.memory", "24Gi")
    ),
    "over the CPU quota": put(SERVING, f"{_GPUS}.limits.cpu", "30"),
    "over the pod quota by a new job": another(
        JOB, "many", put("new", "spec.parallelism", 20), put("new", "spec.completions", 20)
    ),
    "a quota lowered below what is in use": put("ml-serving-quota", "spec.hard.requests~nvidia~com/gpu", "2"),
    "another selector of a Deployment": every(
        put(SERVING, "spec.selector.matchLabels.app", "bert"), put(SERVING, "spec.template.metadata.labels.app", "bert"),
        put(SERVICE, "spec.selector.app", "bert"), put(BUDGET, "spec.selector.matchLabels.app", "bert"),
    ),
    "another image of a Job": put(JOB, f"{_MAIN}.image", "tensorflow/tensorflow:2.16.0"),
    "another command of a running pod": put(POD, "spec.containers.0.command", ["python", "other.py"]),
    "another name of a load balancer": put(SERVICE, "metadata.name", "bert-api"),
    "a load balancer made internal": put(SERVICE, "spec.type", "ClusterIP"),
    "a service removed": remove(SERVICE),
    "a claim that is not there": _volume(persistentVolumeClaim={"claimName": "models"}),
    "a secret that is not there": _env(name="HF_TOKEN", valueFrom={"secretKeyRef": {"name": "hub", "key": "token"}}),
    "a ConfigMap that is not there": _volume(configMap={"name": "settings"}),
    "a PriorityClass that is not there": put(SERVING, "spec.template.spec.priorityClassName", "gold"),
    "a ServiceAccount that is not there": put(SERVING, "spec.template.spec.serviceAccountName", "robot"),
    "a RuntimeClass that is not there": put(SERVING, "spec.template.spec.runtimeClassName", "nvidia"),
    "a StorageClass that is not there": _volume(
        ephemeral={"volumeClaimTemplate": {"spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "fast", "resources": {"requests": {"storage": "1Gi"}}}}}
    ),
    "a node pool that is not there": put(
        SERVING, "spec.template.spec.nodeSelector", {"cloud.google.com/gke-accelerator": "nvidia-l40"}
    ),
    "a namespace that is not there": another(JOB, "lost", put("new", "metadata.namespace", "ml-trainin")),
    "a kind that the cluster does not know": add("keda.sh/v1alpha1", "ScaledObject", "s", spec={"scaleTargetRef": {"name": "model-serving"}}),
    "a container as root": every(put(SERVING, f"{_CONTEXT}.runAsUser", 0), put(SERVING, f"{_CONTEXT}.runAsNonRoot", False)),
    "a privileged container": put(SERVING, f"{_CONTEXT}.privileged", True),
    "a directory of the node": _volume(hostPath={"path": "/var/run"}),
    "Pod Security switched off": put("ml-serving-namespace", "metadata.labels.pod-security~kubernetes~io/enforce", "privileged"),
    "an image by the tag latest": put(SERVING, f"{_MAIN}.image", "myregistry/bert-serving:latest"),
    "a typo in an image's path": put(SERVING, f"{_MAIN}.image", "myregistry/Bert-serving:v1.3"),
    "a typo in an image's tag": put(SERVING, f"{_MAIN}.image", "myregistry/bert-serving:v1,3"),
    "a load balancer where the team may have none": add("v1", "Service", "open", "ml-training", spec={"type": "LoadBalancer", "selector": {"app": "ml-training"}, "ports": [{"port": 80}]}),
    "a selector that matches nothing": put(SERVICE, "spec.selector.app", "infrence-server"),
    "a Service on a port that no container opens": put(SERVICE, "spec.ports.0.targetPort", 8000),
    "a probe on a port that no container opens": put(SERVING, f"{_MAIN}.readinessProbe.httpGet.port", 9090),
    "a deadline shorter than the startup budget": put(SERVING, "spec.progressDeadlineSeconds", 120),
    "a disruption budget that allows none": put(BUDGET, "spec", {"minAvailable": 3, "selector": {"matchLabels": {"app": "inference-server"}}}),
    "cluster-admin for a team": add(_RBAC, "RoleBinding", "admins", roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}, subjects=[{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "nlp"}]),
    "a password among the variables": _env(name="DB_PASSWORD", value="hunter2"),
    "a GPU without a toleration": put(SERVING, "spec.template.spec.tolerations", []),
}  # fmt: skip

_QUOTA = {"hard": {"requests.cpu": "4", "requests.memory": "8Gi", "pods": "5"}}
_SELECTED = {"matchLabels": {"app": "inference-server"}}


def _container(name: str) -> dict[str, Any]:
    context = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    few = {"cpu": "100m", "memory": "128Mi"}
    return {
        "name": name,
        "image": "myregistry/helper:v1",
        "resources": {"requests": few, "limits": few},
        "securityContext": context,
    }


HARMLESS: dict[str, Edit] = {
    "nothing": nothing,
    "a new version": put(SERVING, f"{_MAIN}.image", "myregistry/bert-serving:v1.3"),
    "an image by its digest": put(SERVING, f"{_MAIN}.image", "myregistry/bert-serving@sha256:" + "0123456789abcdef" * 4),
    "a registry with a port": put(SERVING, f"{_MAIN}.image", "registry.example.com:5000/bert:v2"),
    "one replica more": put(SERVING, "spec.replicas", 4),
    "as many replicas as the quota holds": put(SERVING, "spec.replicas", 8),
    "one replica less": put(SERVING, "spec.replicas", 2),
    "two GPUs a pod": _gpus("2"),
    "an autoscaler within the quota": _scaler(6),
    "more memory": every(put(SERVING, f"{_GPUS}.requests.memory", "6Gi"), put(SERVING, f"{_GPUS}.limits.memory", "12Gi")),
    "a variable": _env(name="BATCH", value="32"),
    "a variable whose name sounds secret": _env(name="TOKENIZER_PATH", value="/models/tokenizer"),
    "a variable from a Secret that is there": _env(name="HF_TOKEN", valueFrom={"secretKeyRef": {"name": "there", "key": "token"}}),
    "an optional Secret": _env(name="X", valueFrom={"secretKeyRef": {"name": "hub", "key": "token", "optional": True}}),
    "a ConfigMap that is there": _volume(configMap={"name": "there"}),
    "a ConfigMap that comes with the change": every(_volume(configMap={"name": "settings"}), add("v1", "ConfigMap", "settings", data={"a": "b"})),
    "a volume in memory": _volume(emptyDir={"medium": "Memory", "sizeLimit": "1Gi"}),
    "other arguments": put(SERVING, f"{_MAIN}.args", ["--max-tokens", "512"]),
    "an annotation": put(SERVING, "metadata.annotations", {"example.com/runbook": "https://example.com/bert"}),
    "a label": put(SERVING, "metadata.labels.experiment", "b"),
    "an annotation for the load balancer": put(SERVICE, "metadata.annotations", {"example.com/internal": "true"}),
    "another port for clients": put(SERVICE, "spec.ports.0.port", 8081),
    "a more patient readiness probe": put(SERVING, f"{_MAIN}.readinessProbe.failureThreshold", 6),
    "a longer startup budget": every(put(SERVING, f"{_MAIN}.startupProbe.failureThreshold", 120), put(SERVING, "spec.progressDeadlineSeconds", 1500)),
    "a longer drain": put(SERVING, "spec.template.spec.terminationGracePeriodSeconds", 120),
    "fewer old versions": put(SERVING, "spec.revisionHistoryLimit", 3),
    "a sidecar": lambda manifests: manifests[SERVING]["spec"]["template"]["spec"]["containers"].append(_container("proxy")),
    "an init container": put(SERVING, "spec.template.spec.initContainers", [_container("stage")]),
    "one more node label to select": put(SERVING, "spec.template.spec.nodeSelector.kubernetes~io/os", "linux"),
    "one more toleration": lambda manifests: manifests[SERVING]["spec"]["template"]["spec"]["tolerations"].append({"key": "spot", "operator": "Exists"}),
    "a disruption budget in per cent": put(BUDGET, "spec", {"maxUnavailable": "34%", "selector": _SELECTED}),
    "more quota": put("ml-serving-quota", "spec.hard.pods", "40"),
    "less quota that nobody uses": put("data-pipeline-quota", "spec.hard.pods", "10"),
    "a new job": another(JOB, "again"),
    "a longer deadline of a job": put(JOB, "spec.activeDeadlineSeconds", 3600),
    "a second service": add("v1", "Service", "internal", spec={"type": "ClusterIP", "selector": {"app": "inference-server"}, "ports": [{"port": 80, "targetPort": "http"}]}),
    "a ServiceAccount": add("v1", "ServiceAccount", "robot", automountServiceAccountToken=False),
    "a narrow role": add(_RBAC, "Role", "reader", rules=[{"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list"]}]),
    "a NetworkPolicy": add("networking.k8s.io/v1", "NetworkPolicy", "metrics", spec={"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"ports": [{"port": 9090}]}]}),
    "a new team": every(
        add("v1", "Namespace", "ml-new", None), put("new-namespace-ml-new", "metadata.labels.pod-security~kubernetes~io/enforce", "restricted"),
        add("v1", "ResourceQuota", "quota", "ml-new", spec=_QUOTA),
    ),
}  # fmt: skip
