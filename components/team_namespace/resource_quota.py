"""The ResourceQuotas of a team."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from ..base.error_table import QUANTITY_FRACTION, QUOTA_COUNTS_REQUESTS, QUOTA_KEY_WITHOUT_GROUP, RESOURCE_UNKNOWN
from ..base.names import ObjectName
from ..base.objects import Manifest
from ..base.quantities import Quantity, byte_error, counts_bytes, is_whole, parse_quantity

COMPUTE = {"cpu", "memory", "ephemeral-storage"}


_COUNTS = {
    "configmaps", "persistentvolumeclaims", "pods", "replicationcontrollers", "resourcequotas", "secrets", "services",
    "services.loadbalancers", "services.nodeports",
}  # fmt: skip


# Kinds outside the core group. The API server would accept a quota on count/jobs, and count nothing.
_GROUPS = {
    "deployments": "apps", "replicasets": "apps", "statefulsets": "apps", "daemonsets": "apps",
    "jobs": "batch", "cronjobs": "batch", "horizontalpodautoscalers": "autoscaling",
    "poddisruptionbudgets": "policy", "networkpolicies": "networking.k8s.io", "ingresses": "networking.k8s.io",
    "resourceclaims": "resource.k8s.io", "roles": "rbac.authorization.k8s.io",
}  # fmt: skip


_BY_CLASS = (".storageclass.storage.k8s.io/", ".deviceclass.resource.k8s.io/devices")


def _quota_key(key: str) -> str:
    section, _, resource = key.partition(".")
    if section in {"request", "limit"}:
        plural = f"{section}s.{resource}"
        raise RESOURCE_UNKNOWN(resource=key, of="a ResourceQuota", choices=plural, key=plural)
    if section not in {"requests", "limits"}:
        section, resource = "", key
    if key.startswith("count/") and key.removeprefix("count/") in _GROUPS:
        group = _GROUPS[key.removeprefix("count/")]
        raise QUOTA_KEY_WITHOUT_GROUP(name=key, group=group, key=f"{key}.{group}")
    if section != "requests" and "/" in resource and not resource.startswith(("count/", "hugepages-")):
        if any(part in resource for part in _BY_CLASS):
            return key
        raise QUOTA_COUNTS_REQUESTS(resource=resource, key=f"requests.{resource}")
    known = (
        key in COMPUTE | _COUNTS
        or (section == "requests" and (resource in COMPUTE | {"storage"} or "/" in resource))
        or (section == "limits" and resource in COMPUTE)
        or key.startswith(("count/", "hugepages-", "requests.hugepages-"))
    )
    if not known:
        choices = "a key such as requests.cpu, limits.memory, pods, requests.nvidia.com/gpu or count/jobs.batch"
        raise RESOURCE_UNKNOWN(resource=key, of="a ResourceQuota", choices=choices)
    return key


_OF_PODS = {"pods", *(f"{section}{name}" for section in ("", "requests.", "limits.") for name in ("cpu", "memory"))}


def _priority_quota_key(key: str) -> str:
    _quota_key(key)
    if key not in _OF_PODS and not (key.startswith("requests.") and "/" in key):
        choices = "pods, cpu, memory, their requests and limits, or requests.<device>"
        raise RESOURCE_UNKNOWN(resource=key, of="a ResourceQuota of a PriorityClass", choices=choices)
    return key


QuotaKey = Annotated[str, AfterValidator(_quota_key)]

PriorityQuotaKey = Annotated[str, AfterValidator(_priority_quota_key)]

HardLimits = dict[QuotaKey, Quantity]
"""The hard limits of a ResourceQuota, by its keys."""

PriorityQuotas = dict[ObjectName, dict[PriorityQuotaKey, Quantity]]
"""The hard limits of pods by PriorityClass."""

# The default limits of a team that does not serve: nothing is exposed outside the cluster.
_CLOSED = {"services.loadbalancers": "0", "services.nodeports": "0"}


@dataclass(frozen=True)
class ResourceQuota:
    """One ResourceQuota of a team."""

    role: str
    name: str
    path: tuple[str, ...]
    """The path of the argument that sets it, in camelCase."""

    hard: Mapping[str, str]
    classes: tuple[str, ...] | None = None
    """The PriorityClasses whose pods it counts; None: it counts all pods and objects."""

    others: bool = False
    """Whether it counts the pods of all PriorityClasses except these."""

    closed: Collection[str] = ()
    """The keys that are 0 because the team does not serve."""

    def counts(self, priority_class: str | None) -> bool:
        """Whether it counts pods of a PriorityClass."""
        if self.classes is None:
            return True
        return priority_class is not None and (priority_class in self.classes) != self.others

    def manifest(self, metadata: Manifest) -> Manifest:
        """The ResourceQuota."""
        spec: Manifest = {"hard": dict(self.hard)}
        if self.classes is not None:
            scope: Manifest = {"scopeName": "PriorityClass"}
            matches = [{**scope, "operator": "Exists"}] if self.others else []
            if self.classes:
                operator = "NotIn" if self.others else "In"
                matches.append({**scope, "operator": operator, "values": list(self.classes)})
            spec["scopeSelector"] = {"matchExpressions": matches}
        own = {**metadata, "name": self.name}
        return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": own, "spec": spec}


def resource_quotas(
    namespace: str, quota: Mapping[str, str], priorities: PriorityQuotas, *, serves: bool
) -> list[ResourceQuota]:
    """All ResourceQuotas of a team.

    In addition to the team's quota, there is one for each PriorityClass that it may use, and one that rejects pods of
    all other classes: a pod with a high priority preempts the pods of other teams.
    """
    closed = {} if serves else {key: zero for key, zero in _CLOSED.items() if key not in quota}
    hard = {**closed, **quota}
    own = [ResourceQuota("quota", f"{namespace}-quota", ("quota",), hard, closed=tuple(closed))] if hard else []
    by_class = [
        ResourceQuota(
            f"priority-quota-{name}", f"{namespace}-priority-{name}", ("priorityQuotas", name), limits, (name,)
        )
        for name, limits in priorities.items()
    ]
    others = ResourceQuota(
        "other-priorities",
        f"{namespace}-other-priorities",
        ("priorityQuotas",),
        {"pods": "0"},
        tuple(priorities),
        others=True,
    )
    return [*own, *by_class, others]


def fraction_errors(hard: Mapping[str, str]) -> list[tuple[str, PydanticCustomError]]:
    """The keys that count objects, devices or bytes, and have a fractional quantity, with the error of each."""
    problems = []
    for key, quantity in hard.items():
        is_device = key.startswith("requests.") and "/" in key
        if (is_device or key in _COUNTS or key.startswith("count/")) and not is_whole(quantity):
            value = str(math.ceil(parse_quantity(quantity)))
            unit = "devices" if is_device else key.removeprefix("count/")
            problems.append((key, QUANTITY_FRACTION(quantity=quantity, unit=unit, fix="", value=value)))
        elif counts_bytes(key.removeprefix("requests.").removeprefix("limits.")):
            error = byte_error(quantity)
            problems += [(key, error)] if error is not None else []
    return problems
