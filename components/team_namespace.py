"""TeamNamespace: a namespace that belongs to a team, with the quota that keeps it from the others."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pulumi
from pydantic import AfterValidator, Field

from components.arguments import Arguments, checked_name, refuse
from components.labels import MANAGED_BY
from components.names import LabelValue, NamespaceName, QualifiedName
from components.quantities import Quantity
from components.registration import Manifest, Manifests, register_all

TYPE = "ml-platform:index:TeamNamespace"

_COMPUTE = {"cpu", "memory", "ephemeral-storage"}
_COUNTS = {
    "configmaps", "persistentvolumeclaims", "pods", "replicationcontrollers", "resourcequotas", "secrets", "services",
    "services.loadbalancers", "services.nodeports",
}  # fmt: skip


def _quota_key(key: str) -> str:
    section, _, resource = key.partition(".")
    if section not in {"requests", "limits"}:
        section, resource = "", key
    if section != "requests" and "/" in resource and not resource.startswith(("count/", "hugepages-")):
        name = resource
        if ".storageclass.storage.k8s.io/" in name:
            return key
        raise refuse(f"a quota counts {name} by its requests only", f"write requests.{name} instead of {key}")
    known = (
        key in _COMPUTE | _COUNTS
        or (section == "requests" and (resource in _COMPUTE | {"storage"} or "/" in resource))
        or (section == "limits" and resource in _COMPUTE)
        or key.startswith(("count/", "hugepages-", "requests.hugepages-"))
    )
    if not known:
        mend = "use requests.cpu, limits.memory, pods, requests.nvidia.com/gpu, count/jobs.batch or the like"
        raise refuse("is not a resource that a quota counts", mend)
    return key


QuotaKey = Annotated[str, AfterValidator(_quota_key)]


class TeamNamespaceArgs(Arguments):
    """Arguments of a TeamNamespace."""

    name: NamespaceName | None = Field(None, examples=["ml-training"])
    """Name of the namespace; default: the component's."""

    team: LabelValue | None = Field(None, examples=["nlp"])
    """Who owns it: the ``team`` label of everything in it; default: the component's name."""

    owner: LabelValue | None = None
    """Whom to ask, as a label: a person's or a channel's short name."""

    cost_center: LabelValue | None = None
    """Who pays, as a label."""

    labels: dict[QualifiedName, LabelValue] = {}
    """Further labels of the namespace."""

    quota: dict[QuotaKey, Quantity] = Field({}, examples=[{"requests.cpu": "32", "pods": "20"}])
    """The most that all its pods and objects may ask for together, in ResourceQuota's own keys."""

    pod_security: Literal["privileged", "baseline", "restricted"] = "restricted"
    """The Pod Security Standard that its pods have to meet."""


@dataclass(frozen=True)
class Tenant:
    """Where a workload lives and whom it belongs to."""

    namespace: pulumi.Input[str]
    team: str | None
    """The ``team`` label of all objects; none where the namespace is not one of the platform's."""
    quota: Mapping[str, Quantity] = field(default_factory=dict)
    """The namespace's quota, as far as it is known."""


def tenant(name: str, args: TeamNamespaceArgs) -> Tenant:
    """The tenant that a TeamNamespace makes of its arguments."""
    return Tenant(args.name or name, args.team or name, args.quota)


def manifests(name: str, args: TeamNamespaceArgs) -> Manifests:
    """The objects of a TeamNamespace, by role."""
    owner = tenant(name, args)
    labels = {
        **MANAGED_BY,
        "team": owner.team,
        **({"owner": args.owner} if args.owner else {}),
        **({"cost-center": args.cost_center} if args.cost_center else {}),
    }
    pod_security = {f"pod-security.kubernetes.io/{mode}": args.pod_security for mode in ("enforce", "audit", "warn")}
    objects: dict[str, Manifest] = {
        "namespace": {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": owner.namespace, "labels": {**labels, **args.labels, **pod_security}},
        }
    }
    if args.quota:
        objects["quota"] = {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": f"{owner.namespace}-quota", "namespace": owner.namespace, "labels": labels},
            "spec": {"hard": args.quota},
        }
    return objects


class TeamNamespace(pulumi.ComponentResource):
    """A team's namespace and what rules it.

    Children: ``<name>-namespace``, and ``<name>-quota`` where a quota is given.
    """

    namespace: pulumi.Output[str]
    """Name of the namespace, known once it exists."""

    tenant: Tenant
    """The namespace's name and the team's label, for workloads in it."""

    def __init__(
        self, name: str, args: TeamNamespaceArgs | dict[str, Any], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = TeamNamespaceArgs.of(args)
        checked_name("TeamNamespace", args.name or name, NamespaceName)
        super().__init__(TYPE, name, {}, opts)
        self.tenant = tenant(name, args)
        children = register_all(self, name, manifests(name, args))
        self.namespace = children["namespace"].metadata.apply(lambda metadata: metadata["name"])
        self.register_outputs({"namespace": self.namespace})
