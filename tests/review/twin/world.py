"""The objects of a cluster: services, a full GPU pool, a database, and workloads of others."""

from typing import Any

from components.base.objects import Manifest
from tests.review.twin.previews import MANAGER


def manifest(version: str, kind: str, namespace: str, name: str, **fields: Any) -> Manifest:
    """An object with the field manager of the tests."""
    metadata: Manifest = {"name": name, "annotations": dict(MANAGER)}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


def namespace(name: str) -> Manifest:
    return manifest("v1", "Namespace", "", name)


def template(app: str, **spec: Any) -> Manifest:
    """A pod template that is valid under the Pod Security Standard restricted."""
    container = {
        "name": "main",
        "image": "main:1",
        "resources": {"requests": {"cpu": "1", "memory": "2Gi"}, "limits": {"memory": "2Gi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    security = {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}}
    return {
        "metadata": {"labels": {"app": app}},
        "spec": {"containers": [container], "securityContext": security, **spec},
    }


def deployment(name: str, namespace: str, replicas: int, surge: int = 1, unavailable: int = 0) -> Manifest:
    return manifest(
        "apps/v1",
        "Deployment",
        namespace,
        name,
        spec={
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable},
            },
            "template": template(name),
        },
    )


def service(name: str, namespace: str) -> Manifest:
    return manifest("v1", "Service", namespace, name, spec={"selector": {"app": name}, "ports": [{"port": 80}]})


def gpu_deployment(name: str, namespace: str, replicas: int, gpus: str, **spec: Any) -> Manifest:
    """A Deployment whose pods have GPUs. Old pods are deleted before new ones are created."""
    made = deployment(name, namespace, replicas, surge=0, unavailable=1)
    pod = made["spec"]["template"]["spec"]
    pod["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] = gpus
    pod |= {"tolerations": [{"operator": "Exists"}], **spec}
    return made


def world() -> dict[str, Manifest]:
    """Name → object."""
    stateful = deployment("db", "db", 1)
    del stateful["spec"]["strategy"]
    stateful |= {"kind": "StatefulSet"}
    stateful["spec"]["serviceName"] = "db"
    group = "example.com"
    definition = manifest("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", f"widgets.{group}")
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    definition["spec"] = {
        "group": group,
        "scope": "Namespaced",
        "names": {"plural": "widgets", "singular": "widget", "kind": "Widget"},
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
    }
    return {
        **{f"ns-{name}": namespace(name) for name in ("web", "gpu", "db", "other")},
        "quota": manifest("v1", "ResourceQuota", "web", "quota", spec={"hard": {"pods": "10"}}),
        "web": deployment("web", "web", 3),
        "web-service": service("web", "web"),
        "web-budget": manifest(
            "policy/v1",
            "PodDisruptionBudget",
            "web",
            "web",
            spec={"maxUnavailable": 1, "selector": {"matchLabels": {"app": "web"}}},
        ),
        "high": manifest("scheduling.k8s.io/v1", "PriorityClass", "", "high", value=1000),
        "llm": gpu_deployment("llm", "gpu", 2, "8"),
        "llm-service": service("llm", "gpu"),
        "db": stateful,
        "db-service": service("db", "db"),
        "root": manifest(
            "apps/v1",
            "Deployment",
            "other",
            "root",
            spec={
                "selector": {"matchLabels": {"app": "root"}},
                "template": {
                    "metadata": {"labels": {"app": "root"}},
                    "spec": {"containers": [{"name": "main", "image": "main:1"}]},
                },
            },
        ),
        "definition": definition,
    }


def widget() -> Manifest:
    """A custom resource that is not part of the stack."""
    return manifest("example.com/v1", "Widget", "other", "mine", spec={})
