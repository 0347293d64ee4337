"""Arguments of a TeamNamespace."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pulumi
from pydantic import Field, model_validator

from ..base.arguments import Arguments
from ..base.errors import raise_all, refuse
from ..base.names import Annotations, DnsLabel, LabelValue, NamespaceName, ObjectName, QualifiedName
from ..pod.security import Standard
from .image_registries import ImagePrefix
from .limit_range import ContainerLimits, default_limits
from .network_policies import Network
from .quota_check import Shortfall, Terms, unusable
from .rbac import Access
from .resource_quota import Hard, PriorityQuotas, Quota, fractions, quotas

# The newest version that the components are tested against. A cluster that is older takes its own newest.
POD_SECURITY_VERSION = "v1.37"


class TeamNamespaceArgs(Arguments):
    """Arguments of a TeamNamespace."""

    name: NamespaceName | None = Field(default=None, examples=["ml-training"])
    """Name of the namespace; default: the component's."""

    team: LabelValue | None = Field(default=None, examples=["nlp"])
    """Who owns it: the ``team`` label of everything in it; default: the component's name."""

    owner: LabelValue | None = None
    """Whom to ask, as a label: a person's or a channel's short name."""

    cost_center: LabelValue | None = None
    """Who pays, as a label."""

    labels: dict[QualifiedName, LabelValue] = {}
    """Further labels of the namespace."""

    annotations: Annotations = {}
    """Annotations of all its objects."""

    quota: Hard = Field(default={}, examples=[{"requests.cpu": "32", "pods": "20"}])
    """The most that all its pods and objects may ask for together, in ResourceQuota's own keys.

    Workloads that name the team are added up, each at its peak, before anything is registered.
    """

    priority_quotas: PriorityQuotas = Field(default={}, examples=[{"training": {"requests.nvidia.com/gpu": "4"}}])
    """PriorityClasses that the team may use, and the most that its pods of each may ask for together.

    Pods of any other class are refused, since they could evict those of other teams. Where the
    cluster has a default class, it has to be named here too.
    """

    serves: bool = False
    """Whether it may be reached from outside the cluster, by node ports and load balancers.

    Without it the quota has none of either, unless it says otherwise itself, and only the team itself
    may call its models, unless ``network.serving`` says otherwise.
    """

    container_limits: ContainerLimits | None = None
    """What a container gets that says nothing, and the most that it may say; default: 100m CPU and
    256Mi of memory requested, a limit of 1Gi of memory, and of 1 CPU where the quota counts limits."""

    network: Network = Network()
    """Whom its pods may talk to. Default: DNS and each other, nobody else."""

    access: Access = Access()
    """Who may do what in it. Default: nobody but the cluster's administrators."""

    pod_security: Standard = "restricted"
    """The Pod Security Standard that its pods have to meet."""

    pod_security_version: Annotated[str, Field(pattern=r"^(v1\.[0-9]{2}|latest)$")] = POD_SECURITY_VERSION
    """The version of the standard: pinned, so that an upgrade of the cluster refuses no pods that ran before."""

    registries: list[ImagePrefix] = Field(default=[], examples=[["ghcr.io/acme", "pytorch"]])
    """Where images may come from: registries, paths in them and single repositories; default: anywhere."""

    queues: dict[DnsLabel, ObjectName] = Field(default={}, examples=[{"training": "gpu-cluster-queue"}])
    """Kueue's LocalQueues by name, and the ClusterQueue of each. Needs Kueue in the cluster."""

    on_delete: Literal["delete", "retain", "protect"] = "delete"
    """What becomes of it when it leaves the stack, or has to be replaced because its name changed.

    ``delete``: it goes, with everything in it. ``retain``: it stays with its quotas, policies and
    roles, and the stack forgets them. ``protect``: the update is refused.
    """

    adopt: bool = False
    """Take over a namespace that exists already, with the objects in it. Without it, one that somebody
    else has made is refused.

    An adopted namespace outlives the stack, with its labels; so does one that was not there yet.
    """

    @model_validator(mode="after")
    def _fits_together(self) -> "TeamNamespaceArgs":
        refused = fractions(self.quota)
        problems: list[Any] = [(("quota", key), error) for key, error in refused]
        for name, hard in self.priority_quotas.items():
            problems += [(("priorityQuotas", name, key), error) for key, error in fractions(hard)]
        for label in self.labels:
            if label in _RESERVED or label.startswith("pod-security.kubernetes.io/"):
                fix = f"set {_RESERVED.get(label, 'podSecurity')} instead"
                problems.append((("labels", label), refuse("is set from an argument of its own", fix)))
        if not refused:  # from a quota that is, nothing follows
            problems += [(short.path, refusal(short)) for short in unusable(self.quota, self.limits())]
        raise_all("TeamNamespaceArgs", problems)
        return self

    def limits(self) -> ContainerLimits:
        """The limits of containers: the user's, or the default that suits the quota."""
        return self.container_limits if self.container_limits is not None else default_limits(self.quota)

    def quotas(self, namespace: str) -> list[Quota]:
        """All ResourceQuotas of the namespace."""
        return quotas(namespace, self.quota, self.priority_quotas, serves=self.serves)

    def terms(self, namespace: str) -> Terms:
        """What the namespace holds its pods to."""
        return Terms(self.quotas(namespace), self.limits(), self.pod_security, self.registries)


_RESERVED = {"team": "team", "owner": "owner", "cost-center": "costCenter"}


def refusal(shortfall: Shortfall) -> Any:
    """A shortfall as an error of its argument."""
    return refuse(shortfall.what, shortfall.fix, shortfall.value)


@dataclass(frozen=True)
class Tenant:
    """Where a workload lives and whom it belongs to."""

    namespace: pulumi.Input[str]
    team: str | None
    """The ``team`` label of all objects; none where the namespace is not one of the platform's."""
    quota: Mapping[str, str] = field(default_factory=dict)
    """The namespace's quota, as far as it is known."""


def tenant(name: str, args: TeamNamespaceArgs) -> Tenant:
    """The tenant that a TeamNamespace makes of its arguments."""
    return Tenant(args.name or name, args.team or name, args.quota)
