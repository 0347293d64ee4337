"""Team namespaces to test: called nlp."""

from typing import Any

from components import TeamNamespaceArgs
from components.team_namespace.manifests import manifests

Objects = dict[str, dict[str, Any]]

EVERYTHING: dict[str, Any] = {
    "owner": "dana",
    "cost_center": "cc-7",
    "quota": {"requests.cpu": "32", "limits.memory": "64Gi", "requests.nvidia.com/gpu": 8},
    "priority_quotas": {"training": {"requests.nvidia.com/gpu": "4"}, "batch": {"pods": "10"}},
    "container_limits": {
        "default": {"cpu": "1", "memory": "1Gi"},
        "max": {"memory": "32Gi", "ephemeral-storage": "1Ti"},
    },
    "network": {
        "allow_from": {"namespaces": ["monitoring"]},
        "allow_to": {"cidrs": ["0.0.0.0/0"], "namespaces": ["data-pipeline"]},
        "serving": {"ports": [8080], "namespaces": ["web"]},
    },
    "access": {"viewers": ["v"], "developers": ["d"], "admins": ["a"], "secrets": ["registry"]},
    "registries": ["ghcr.io/acme"],
    "on_delete": "protect",
}
"""Most arguments of a team."""


def objects(component: str = "nlp", **arguments: Any) -> Objects:
    """The objects by role."""
    return manifests(component, TeamNamespaceArgs(**arguments))


CHANGES: dict[str, Any] = {
    "name": "ml-nlp",
    "team": "language",
    "owner": "dana",
    "cost_center": "cc-7",
    "labels": {"env": "prod"},
    "annotations": {"note": "x"},
    "quota": {"pods": "5"},
    "priority_quotas": {"training": {"pods": "5"}},
    "serves": True,
    "container_limits": {"default": {"memory": "2Gi"}, "default_request": {"memory": "1Gi"}, "max": {"memory": "4Gi"}},
    "network": {
        "allow_from": {"namespaces": ["web"], "cidrs": ["10.0.0.0/8"]},
        "allow_to": {"namespaces": ["web"], "cidrs": ["0.0.0.0/0"]},
        "serving": {"ports": [8080], "namespaces": ["web"]},
        "dns_namespace": "dns",
        "cloud_metadata": True,
    },
    "access": {"viewers": ["v"], "developers": ["d"], "admins": ["a"], "secrets": ["s"]},
    "pod_security": "baseline",
    "pod_security_version": "v1.33",
    "registries": ["ghcr.io/acme"],
    "queues": {"training": "gpus"},
    "on_delete": "retain",
    "adopt": True,
}
"""Another value than the default for every argument of a team."""
