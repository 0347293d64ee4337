"""The labels by which workloads are found: ``app``, ``team`` and the like, and the recommended ones of Kubernetes."""

from collections.abc import Mapping
from typing import Any

import pulumi

Labels = dict[str, Any]
"""Labels of an object; values may only exist at deployment time."""

NAME = "app.kubernetes.io/name"
MANAGED_BY = {"app.kubernetes.io/managed-by": "pulumi"}

WORKERS = {"ml-platform/network": "workers"}
"""The label of pods that no other pod of their namespace may talk to: workers of a distributed training."""


def workload_labels(
    name: str,
    workload_type: str,
    own: Mapping[str, str],
    derived: Mapping[str, pulumi.Input[str] | None],
) -> Labels:
    """All labels of a workload's objects and pods.

    ``app`` comes from the user's own labels, with the component's name as its default. ``derived``
    are the labels that arguments of their own set (team, framework, ...); those without a value are
    left out.
    """
    return {
        "app": name,
        NAME: name,
        **MANAGED_BY,
        "workload-type": workload_type,
        **{key: value for key, value in derived.items() if value is not None},
        **own,
    }


def selector(labels: Mapping[str, pulumi.Input[str]]) -> Labels:
    """The labels that select a workload's pods, and no more: a selector cannot change."""
    return {"app": labels["app"]}
