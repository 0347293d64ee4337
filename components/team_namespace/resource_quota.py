"""What a team may use together, as ResourceQuotas, and each of its containers, as a LimitRange."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator

from ..base.errors import refuse
from ..base.names import ObjectName
from ..base.quantities import Quantity, counts_bytes, is_whole, not_bytes
from ..base.registration import Manifest

_COMPUTE = {"cpu", "memory", "ephemeral-storage"}


_COUNTS = {
    "configmaps", "persistentvolumeclaims", "pods", "replicationcontrollers", "resourcequotas", "secrets", "services",
    "services.loadbalancers", "services.nodeports",
}  # fmt: skip


# Kinds outside the core group: a quota on count/jobs would be accepted, and count nothing.
_GROUPS = {
    "deployments": "apps", "replicasets": "apps", "statefulsets": "apps", "daemonsets": "apps",
    "jobs": "batch", "cronjobs": "batch", "horizontalpodautoscalers": "autoscaling",
    "poddisruptionbudgets": "policy", "networkpolicies": "networking.k8s.io", "ingresses": "networking.k8s.io",
    "resourceclaims": "resource.k8s.io", "roles": "rbac.authorization.k8s.io",
}  # fmt: skip


_BY_CLASS = (".storageclass.storage.k8s.io/", ".deviceclass.resource.k8s.io/devices")


def _quota_key(key: str) -> str:
    section, _, resource = key.partition(".")
    if section not in {"requests", "limits"}:
        section, resource = "", key
    if key.startswith("count/") and key.removeprefix("count/") in _GROUPS:
        right = f"{key}.{_GROUPS[key.removeprefix('count/')]}"
        raise refuse(f"{key} counts nothing: the kind has a group", f"write {right} instead of {key}")
    if section != "requests" and "/" in resource and not resource.startswith(("count/", "hugepages-")):
        if any(part in resource for part in _BY_CLASS):
            return key
        raise refuse(f"a quota counts {resource} by its requests only", f"write requests.{resource} instead of {key}")
    known = (
        key in _COMPUTE | _COUNTS
        or (section == "requests" and (resource in _COMPUTE | {"storage"} or "/" in resource))
        or (section == "limits" and resource in _COMPUTE)
        or key.startswith(("count/", "hugepages-", "requests.hugepages-"))
    )
    if not known:
        fix = "use requests.cpu, limits.memory, pods, requests.nvidia.com/gpu, count/jobs.batch or the like"
        raise refuse("is not a resource that a quota counts", fix)
    return key


_OF_PODS = {"pods", *(f"{section}{name}" for section in ("", "requests.", "limits.") for name in ("cpu", "memory"))}


def _priority_quota_key(key: str) -> str:
    _quota_key(key)
    if key not in _OF_PODS and not (key.startswith("requests.") and "/" in key):
        fix = "use pods, cpu, memory, their requests and limits, or requests.<device>"
        raise refuse("a quota of a PriorityClass counts pods and what they ask for only", fix)
    return key


QuotaKey = Annotated[str, AfterValidator(_quota_key)]


PriorityQuotaKey = Annotated[str, AfterValidator(_priority_quota_key)]


Hard = dict[QuotaKey, Quantity]
"""The ``hard`` of a ResourceQuota, in its own keys."""


PriorityQuotas = dict[ObjectName, dict[PriorityQuotaKey, Quantity]]


# A team that does not serve opens no way in from outside the cluster.
_CLOSED = {"services.loadbalancers": "0", "services.nodeports": "0"}


@dataclass(frozen=True)
class Quota:
    """One ResourceQuota of a team."""

    role: str
    name: str
    path: tuple[str, ...]
    """The argument that it comes from, in YAML's spelling."""

    hard: Mapping[str, str]
    classes: tuple[str, ...] | None = None
    """The PriorityClasses whose pods it counts; None: it counts all pods, and objects besides."""

    others: bool = False
    """It counts the pods of all PriorityClasses but these."""

    closed: Collection[str] = ()
    """The keys that are at zero since the team does not serve."""

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


def quotas(namespace: str, quota: Mapping[str, str], priorities: PriorityQuotas, *, serves: bool) -> list[Quota]:
    """All ResourceQuotas of a team.

    Beside the team's own there is one for each PriorityClass that it may use, and one that refuses
    all the others: a pod with a high priority evicts the pods of other teams.
    """
    closed = {} if serves else {key: zero for key, zero in _CLOSED.items() if key not in quota}
    hard = {**closed, **quota}
    own = [Quota("quota", f"{namespace}-quota", ("quota",), hard, closed=tuple(closed))] if hard else []
    by_class = [
        Quota(f"priority-quota-{name}", f"{namespace}-priority-{name}", ("priorityQuotas", name), limits, (name,))
        for name, limits in priorities.items()
    ]
    others = Quota(
        "other-priorities",
        f"{namespace}-other-priorities",
        ("priorityQuotas",),
        {"pods": "0"},
        tuple(priorities),
        others=True,
    )
    return [*own, *by_class, others]


def fractions(hard: Mapping[str, str]) -> list[tuple[str, Any]]:
    """The keys that count pieces or bytes, and yet have a fraction."""
    problems = []
    for key, quantity in hard.items():
        pieces = key in _COUNTS or key.startswith("count/") or (key.startswith("requests.") and "/" in key)
        if pieces and not is_whole(quantity):
            problems.append((key, refuse(f"counts pieces: {quantity} is not a whole number")))
        elif counts_bytes(key.removeprefix("requests.").removeprefix("limits.")):
            error = not_bytes(quantity)
            problems += [(key, error)] if error is not None else []
    return problems
