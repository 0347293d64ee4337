"""The labels of workloads: ``app``, ``team`` and the like, and those that Kubernetes recommends."""

from collections.abc import Mapping
from typing import Any

import pulumi

Labels = dict[str, Any]
"""Labels of an object. Values may be ``pulumi.Output``."""

NAME_LABEL = "app.kubernetes.io/name"
MANAGED_BY = {"app.kubernetes.io/managed-by": "pulumi"}

WORKER_NETWORK_LABEL = {"ml-platform/network": "workers"}
"""The label of the workers of a distributed training, which no other pod of the namespace may connect to."""


def workload_labels(
    name: str,
    workload_type: str,
    own: Mapping[str, str],
    derived: Mapping[str, pulumi.Input[str] | None],
) -> Labels:
    """All labels of a workload's objects and pods.

    ``own`` are the labels that the user sets; ``app`` among them defaults to the component's name. ``derived`` are
    those that other arguments set (team, framework, ...); those without a value are omitted.
    """
    return {
        "app": name,
        NAME_LABEL: name,
        **MANAGED_BY,
        "workload-type": workload_type,
        **{key: value for key, value in derived.items() if value is not None},
        **own,
    }


def selector(labels: Mapping[str, pulumi.Input[str]]) -> Labels:
    """The labels that select a workload's pods. Only ``app``, since selectors are immutable."""
    return {"app": labels["app"]}
