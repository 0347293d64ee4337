"""ModelServices for tests, with the name bert in the namespace lab: every option, one at a time."""

from typing import Any

from components import ModelServiceArgs
from components.model_service.manifests import manifests
from tests import workloads
from tests.workloads import GPU_POOL

BASE = {"namespace": "lab", "image": "server:v1"}

_HANDLERS: dict[str, dict[str, Any]] = {
    "http": {"path": "/ok", "initial_delay_seconds": 30},
    "tcp": {"tcp": True},
    "grpc": {"grpc": True},
    "command": {"command": ["ready"]},
}
_PROBES: dict[str, dict[str, Any]] = {
    f"probes by {handler}": {
        "health": {"readiness": probe, "liveness": probe, "startup": {**probe, "period_seconds": 5}}
    }
    for handler, probe in _HANDLERS.items()
}

CANARY: dict[str, Any] = {"image": "server:v2", "version": "v2", "weight": 25}

OPTIONS: dict[str, dict[str, Any]] = {
    **workloads.OPTIONS,
    **_PROBES,
    "a probe of another port": {"metrics": {"port": 9090}, "health": {"readiness": {"tcp": True, "port": 9090}}},
    "port": {"port": 9000},
    "a startup budget": {"startup_budget_seconds": 1800},
    "version": {"version": "v1.2"},
    "replicas": {"replicas": 3},
    "GPUs with a surge": {"node_pool": GPU_POOL, "gpus": 1, "rollout": "surge"},
    "replace": {"rollout": "replace", "replicas": 2},
    "no preStop delay": {"drain_seconds": 0},
    "a long preStop delay": {"drain_seconds": 300},
    "disruption": {"disruption": {"max_unavailable": "25%"}, "replicas": 8},
    "revision history": {"revision_history": 3},
    "autoscale by cpu": {"autoscale": {"min": 2, "max": 6, "cpu": 70}},
    "autoscale by a metric": {"autoscale": {"max": 6, "metric": {"name": "requests_waiting", "target": "500m"}}},
    "autoscale to zero": {
        "autoscale": {
            "min": 0,
            "max": 4,
            "keda": {"type": "prometheus", "metadata": {"threshold": 5}, "authentication": "prometheus"},
        }
    },
    "NodePort": {"service": {"type": "NodePort"}},
    "NodePort with a chosen port": {"service": {"type": "NodePort", "node_port": 30080}},
    "LoadBalancer": {
        "service": {
            "type": "LoadBalancer",
            "annotations": {"cloud.example/internal": "true"},
            "source_ranges": ["203.0.113.0/24", "2001:db8::/32"],
        }
    },
    "LoadBalancer without waiting": {"service": {"type": "LoadBalancer", "await_address": False}},
    "ExternalName": {"image": None, "service": {"type": "ExternalName", "external_name": "models.example.com"}},
    "Ingress": {
        "ingress": {
            "host": "models.example.com",
            "path": "/bert",
            "class_name": "nginx",
            "tls_secret": "certificate",
            "annotations": {"nginx.example/size": "8m"},
        }
    },
    "HTTPRoute": {"route": {"gateway": "public", "gateway_namespace": "gateways", "hosts": ["models.example.com"]}},
    "canary by pods": {"replicas": 3, "canary": CANARY},
    "canary by requests": {"replicas": 3, "canary": CANARY, "route": {"gateway": "public"}},
    "canary of an autoscaled service": {
        "autoscale": {"min": 3, "max": 6, "cpu": 70},
        "canary": CANARY,
        "route": {"gateway": "public"},
    },
    "model from a download": {
        "model": {
            "path": "/weights",
            "source": {
                "download": {
                    "image": "aws:v2",
                    "command": ["fetch"],
                    "env": {"A": "1"},
                    "resources": {"requests": {"cpu": "1", "memory": "1Gi"}},
                    "size": "50Gi",
                }
            },
        }
    },
    "model from a claim": {"model": {"source": {"claim": "bert", "access_mode": "ReadOnlyMany"}}, "replicas": 3},
    "model from a claim of one node": {"model": {"source": {"claim": "bert"}}},
    "model from an image": {"model": {"source": {"image": "models/bert:v1"}}, "replicas": 3},
    "ConfigMap and Secret": {
        "volumes": {
            "settings": {"path": "/etc/bert", "config_map": "bert"},
            "keys": {"path": "/keys", "secret": "bert"},
        },
        "config_version": 7,
    },
    "metrics on the same port": {"metrics": {}},
    "ServiceMonitor": {"metrics": {"port": 9090, "monitor": "service"}},
    "PodMonitor": {"metrics": {"monitor": "pod", "path": "/stats", "interval_seconds": 10}},
}
"""Options by name, and their arguments."""

CUSTOM = {"HTTPRoute", "ScaledObject", "ServiceMonitor", "PodMonitor"}
"""Kinds whose CustomResourceDefinition a cluster may not have."""

Manifest = dict[str, Any]


def arguments(**given: Any) -> ModelServiceArgs:
    """The arguments; those that are None are not set."""
    return ModelServiceArgs(**{key: value for key, value in {**BASE, **given}.items() if value is not None})


def objects(**given: Any) -> dict[str, Manifest]:
    """The objects by role."""
    args = arguments(**given)
    return dict(manifests("bert", args, args.tenant()))


def template(role: str = "deployment", **given: Any) -> Manifest:
    found: Manifest = objects(**given)[role]["spec"]["template"]
    return found


def container(role: str = "deployment", **given: Any) -> Manifest:
    main: Manifest = template(role, **given)["spec"]["containers"][0]
    return main
