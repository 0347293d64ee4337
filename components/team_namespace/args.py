"""Arguments of a TeamNamespace."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pulumi
from pydantic import Field, model_validator

from ..base.arguments import Arguments
from ..base.error_table import DERIVED
from ..base.errors import raise_all
from ..base.names import AnnotationArguments, DnsLabel, LabelArguments, LabelValue, NamespaceName, ObjectName
from ..pod.security import PodSecurityLevel
from .image_registries import ImagePrefix
from .limit_range import ContainerLimits, default_limits
from .network_policies import Network
from .quota_check import NamespaceConstraints, limits_above_quota
from .rbac import Access
from .resource_quota import HardLimits, PriorityQuotas, ResourceQuota, fraction_errors, resource_quotas

# The latest version that the components are tested with. An older cluster uses its own latest version.
POD_SECURITY_VERSION = "v1.37"

# Labels that another argument sets.
_DERIVED_LABELS = {"team": "team", "owner": "owner", "cost-center": "costCenter"}


class TeamNamespaceArgs(Arguments):
    """Arguments of a TeamNamespace."""

    name: NamespaceName | None = Field(default=None, examples=["ml-training"])
    """The name of the namespace. Defaults to the name of the component. A change replaces the object."""

    team: LabelValue | None = Field(default=None, examples=["nlp"])
    """The ``team`` label of the namespace and of all objects and pods in it. Defaults to the name of the namespace.

    A change rolls the pods of a service; a job needs a new run.
    """

    owner: LabelValue | None = None
    """The ``owner`` label: the short name of a person or channel to contact. Updatable in place."""

    cost_center: LabelValue | None = None
    """The ``cost-center`` label. Updatable in place."""

    labels: LabelArguments = {}
    """Additional labels of the namespace. Updatable in place."""

    annotations: AnnotationArguments = {}
    """Annotations of the namespace and of all objects that the component creates in it. Updatable in place."""

    quota: HardLimits = Field(default={}, examples=[{"requests.cpu": "32", "pods": "20"}])
    """The limits on the sum over all pods and objects in the namespace, with the keys of a ResourceQuota.

    The workloads of the team are summed before deployment, each at its peak; those that exceed the quota are invalid.
    Updatable in place.
    """

    priority_quotas: PriorityQuotas = Field(default={}, examples=[{"training": {"requests.nvidia.com/gpu": "4"}}])
    """The PriorityClasses that the team may use, and the limits on the sum over the pods of each.

    Pods of other classes are rejected, since they could preempt those of other teams. If the cluster has a default
    class, it must be listed as well. Updatable in place.
    """

    serves: bool = False
    """Whether the team's services may be exposed outside the cluster, by node ports and load balancers.

    If false, the quota allows neither, unless ``quota`` sets them, and only pods of the namespace can connect to its
    models, unless ``network.serving`` allows others. Updatable in place.
    """

    container_limits: ContainerLimits | None = None
    """The default and maximum resources of a container, as a LimitRange.

    Defaults to requests of 100m CPU and 256Mi of memory, a memory limit of 1Gi, and a CPU limit of 1 if the quota
    counts CPU limits; less if the quota is smaller. Applies to new pods. Updatable in place.
    """

    network: Network = Network()
    """The connections that are allowed. Defaults to DNS and the pods of the namespace. Updatable in place."""

    access: Access = Access()
    """The groups with access to the namespace. Defaults to the cluster's administrators only. Updatable in place."""

    pod_security: PodSecurityLevel = "restricted"
    """The level of the Pod Security Standards that pods must comply with. Applies to new pods. Updatable in place."""

    pod_security_version: Annotated[str, Field(pattern=r"^(v1\.[0-9]{2}|latest)$")] = POD_SECURITY_VERSION
    """The version of the Pod Security Standards. Pinned, so that an upgrade of the cluster does not reject pods that
    were valid before. Updatable in place."""

    registries: list[ImagePrefix] = Field(default=[], examples=[["ghcr.io/acme", "pytorch"]])
    """The sources of images that are allowed: registries, paths in them, or repositories. Defaults to all.

    Applies to new pods. Updatable in place.
    """

    queues: dict[DnsLabel, ObjectName] = Field(default={}, examples=[{"training": "gpu-cluster-queue"}])
    """Kueue LocalQueues by name, with the ClusterQueue of each. Requires Kueue in the cluster.

    Queues can be added and removed; another ClusterQueue replaces the LocalQueue. Updatable in place.
    """

    on_delete: Literal["delete", "retain", "protect"] = "delete"
    """What happens to the namespace when it is removed from the stack, or replaced since its name changed.

    ``delete``: it is deleted with everything in it. ``retain``: it stays in the cluster with its quotas, policies and
    roles, and the stack no longer manages them. ``protect``: Pulumi rejects the update. Updatable in place.
    """

    adopt: bool = False
    """Manage an existing namespace that was created by other means. Without it, an existing namespace is an error.

    An adopted namespace stays in the cluster when the stack is destroyed, and so does a namespace that did not exist.
    Updatable in place.
    """

    @model_validator(mode="after")
    def _consistent(self) -> "TeamNamespaceArgs":
        quota_errors = fraction_errors(self.quota)
        problems: list[Any] = [(("quota", key), error) for key, error in quota_errors]
        for name, hard in self.priority_quotas.items():
            problems += [(("priorityQuotas", name, key), error) for key, error in fraction_errors(hard)]
        for label in self.labels:
            if label in _DERIVED_LABELS or label.startswith("pod-security.kubernetes.io/"):
                problems.append((("labels", label), DERIVED(source=_DERIVED_LABELS.get(label, "podSecurity"))))
        if not quota_errors:  # an invalid quota is not compared
            problems += limits_above_quota(self.quota, self.limits())
        raise_all("TeamNamespaceArgs", problems)
        return self

    def tenant(self, name: str) -> "Tenant":
        """The tenant of the TeamNamespace of that name."""
        return Tenant(self.name or name, self.team or self.name or name, self.quota)

    def limits(self) -> ContainerLimits:
        """The limits of containers: the user's, or else the default for the quota."""
        return self.container_limits if self.container_limits is not None else default_limits(self.quota)

    def resource_quotas(self, namespace: str) -> list[ResourceQuota]:
        """All ResourceQuotas of the namespace."""
        return resource_quotas(namespace, self.quota, self.priority_quotas, serves=self.serves)

    def constraints(self, namespace: str) -> NamespaceConstraints:
        """The constraints that the namespace enforces on its pods."""
        return NamespaceConstraints(self.resource_quotas(namespace), self.limits(), self.pod_security, self.registries)


@dataclass(frozen=True)
class Tenant:
    """The namespace that a workload runs in, and the team that owns it."""

    namespace: pulumi.Input[str]
    team: str | None
    """The ``team`` label of all objects; None if no TeamNamespace manages the namespace."""

    quota: Mapping[str, str] = field(default_factory=dict)
    """The quota of the namespace; empty if it is unknown."""
