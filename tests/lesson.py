"""The lesson's four manifests and its labels, to compare the objects of a stack with."""

from typing import Any

import yaml

from components.base.quantities import parse_quantity

MANIFESTS: list[dict[str, Any]] = list(
    yaml.safe_load_all("""
apiVersion: v1
kind: Pod
metadata:
  name: pytorch-training
  labels: {app: ml-training, framework: pytorch}
spec:
  containers:
    - name: trainer
      image: pytorch/pytorch:2.1.0-cuda12.1-cudnn8-runtime
      command: [python, train.py]
      resources:
        requests: {memory: 8Gi, cpu: "4"}
        limits: {memory: 16Gi, cpu: "8"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: model-serving}
spec:
  replicas: 3
  selector: {matchLabels: {app: inference-server}}
  template:
    metadata:
      labels: {app: inference-server}
    spec:
      containers:
        - name: server
          image: myregistry/bert-serving:v1.2
          ports: [{containerPort: 8080}]
          resources:
            requests: {memory: 4Gi, cpu: "2"}
            limits: {memory: 8Gi, cpu: "4"}
          readinessProbe:
            httpGet: {path: /health, port: 8080}
            initialDelaySeconds: 30
            periodSeconds: 10
---
apiVersion: v1
kind: Service
metadata: {name: model-api}
spec:
  selector: {app: inference-server}
  ports: [{port: 80, targetPort: 8080}]
  type: LoadBalancer
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: ml-training-quota, namespace: ml-training}
spec:
  hard: {requests.cpu: "32", requests.memory: 128Gi, limits.cpu: "64", limits.memory: 256Gi, pods: "20"}
""")
)

NAMESPACES = ["data-pipeline", "ml-experiments", "ml-serving", "ml-training"]
"""The lesson's four team namespaces."""

LABELS = {"app", "framework", "workload-type", "model-version", "team", "experiment"}
"""The labels of the lesson's workloads."""


def missing(expected: Any, actual: Any, path: str = "") -> list[str]:
    """What the actual value lacks of the expected one. It may have more fields, and another notation of a quantity."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return [
            problem
            for key, value in expected.items()
            for problem in (
                missing(value, actual[key], f"{path}.{key}") if key in actual else [f"{path}.{key} is missing"]
            )
        ]
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) <= len(actual):
        pairs = enumerate(zip(expected, actual, strict=False))
        return [problem for index, pair in pairs for problem in missing(*pair, f"{path}[{index}]")]
    same = expected == actual or _same_quantity(expected, actual)
    return [] if same else [f"{path} is {actual!r}, not {expected!r}"]


def _same_quantity(expected: Any, actual: Any) -> bool:
    try:
        return parse_quantity(expected) == parse_quantity(actual)
    except (TypeError, ValueError):
        return False
