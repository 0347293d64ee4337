"""TeamNamespace: a namespace that belongs to a team, and all that keeps it from hurting the others, or itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pulumi
from pydantic import Field, model_validator
from pydantic.alias_generators import to_snake

from .access import Access, roles
from .arguments import ArgumentError, Arguments, Problem, checked_name, refuse, refuse_all
from .capacity import Capacity, Shortfall, Terms, unusable
from .footprint import footprint
from .labels import MANAGED_BY
from .names import Annotations, DnsLabel, LabelValue, NamespaceName, ObjectName, QualifiedName
from .network import Network, policies
from .quota import (
    ContainerLimits,
    Hard,
    PriorityQuotas,
    Quota,
    default_limits,
    fractions,
    quotas,
)
from .registration import Manifest, Manifests, annotated, register_all
from .registries import ImagePrefix, admission
from .security import Standard
from .takeover import Guard

TYPE = "ml-platform:index:TeamNamespace"

# The newest version that the components are tested against. A cluster that is older takes its own newest.
POD_SECURITY_VERSION = "v1.37"

# Roles whose objects somebody else makes: Kubernetes the account, the namespace whoever had it first.
_ACCOUNT = "default-account"
_NAMESPACE = "namespace"

# What a team always has. The children are deleted in the order opposite to that of their making, and
# the last of them is among these: where it is protected, nothing of the team is deleted at all. A
# namespace that stays alone would have lost its quotas and policies.
_PROTECTED = {
    _NAMESPACE,
    "quota",
    "other-priorities",
    "container-limits",
    "allow-dns",
    "allow-same-namespace",
    "default-deny",
}


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
                mend = f"set {_RESERVED.get(label, 'podSecurity')} instead"
                problems.append((("labels", label), refuse("is set from an argument of its own", mend)))
        if not refused:  # from a quota that is, nothing follows
            problems += [(short.path, refusal(short)) for short in unusable(self.quota, self.limits())]
        refuse_all("TeamNamespaceArgs", problems)
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
    return refuse(shortfall.what, shortfall.mend, shortfall.value)


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


def manifests(name: str, args: TeamNamespaceArgs) -> dict[str, Manifest]:
    """The objects of a TeamNamespace, by role."""
    namespace = args.name or name
    labels = {
        **MANAGED_BY,
        "team": args.team or name,
        **({"owner": args.owner} if args.owner else {}),
        **({"cost-center": args.cost_center} if args.cost_center else {}),
    }
    of_all = annotated({"labels": labels}, args.annotations)
    metadata = {"namespace": namespace, **of_all}
    return {
        _NAMESPACE: _namespace(namespace, of_all, args),
        **{quota.role: quota.manifest(metadata) for quota in args.quotas(namespace)},
        "container-limits": args.limits().manifest({**metadata, "name": f"{namespace}-limits"}),
        _ACCOUNT: {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {**metadata, "name": "default"},
            # Pods that name no account of their own get no token for the Kubernetes API.
            "automountServiceAccountToken": False,
        },
        **roles(metadata, args.access),
        **(admission(of_all, namespace, args.registries) if args.registries else {}),
        **{f"queue-{queue}": _queue(queue, cluster_queue, metadata) for queue, cluster_queue in args.queues.items()},
        # Last: see _PROTECTED.
        **policies(metadata, args.network, serves=args.serves),
    }


def _namespace(namespace: str, metadata: Manifest, args: TeamNamespaceArgs) -> Manifest:
    pod_security = {
        f"pod-security.kubernetes.io/{mode}{suffix}": value
        for mode in ("enforce", "audit", "warn")
        for suffix, value in (("", args.pod_security), ("-version", args.pod_security_version))
    }
    own = {**metadata, "name": namespace, "labels": {**metadata["labels"], **args.labels, **pod_security}}
    # Labels that somebody else has set become the platform's.
    metadata = annotated(own, {"pulumi.com/patchForce": "true"} if args.adopt else {})
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def _queue(name: str, cluster_queue: str, metadata: Manifest) -> Manifest:
    return {
        "apiVersion": "kueue.x-k8s.io/v1beta1",
        "kind": "LocalQueue",
        "metadata": {**metadata, "name": name},
        "spec": {"clusterQueue": cluster_queue},
    }


def _options(args: TeamNamespaceArgs, objects: Iterable[str]) -> dict[str, pulumi.ResourceOptions]:
    """What is special about the children: what outlives the stack, and what must not be taken for something new."""
    retain, protect = args.on_delete == "retain", args.on_delete == "protect"
    options = {
        role: pulumi.ResourceOptions(retain_on_delete=retain, protect=protect and role in _PROTECTED)
        for role in objects
    }
    # The account goes with its namespace.
    options[_ACCOUNT] = pulumi.ResourceOptions(retain_on_delete=True)
    # To take the namespace over, or to give it back, must not delete it: the other kind of resource
    # under the same name is the same object.
    other = "kubernetes:core/v1:Namespace" + ("" if args.adopt else "Patch")
    alias = pulumi.ResourceOptions(aliases=[pulumi.Alias(type_=other)], retain_on_delete=retain or args.adopt)
    options[_NAMESPACE] = pulumi.ResourceOptions.merge(options[_NAMESPACE], alias)
    return options


class TeamNamespace(pulumi.ComponentResource):
    """A team's namespace and what rules it.

    Children: ``<name>-namespace``, and one for each quota, limit, policy, role and binding.
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
        self._name = name
        self._capacity = Capacity(args.terms(args.name or name))
        self.tenant = tenant(name, args)
        objects = manifests(name, args)
        self.count_in(*itself(name, objects))
        patches = {_ACCOUNT, *([_NAMESPACE] if args.adopt else [])}
        options = _options(args, objects)
        guard = Guard(name, args.name or name)
        if not args.adopt:
            options[_NAMESPACE] = pulumi.ResourceOptions.merge(options[_NAMESPACE], guard.options(opts))
        children = register_all(self, name, objects, options=options, patches=patches)
        self.namespace = children[_NAMESPACE].metadata.apply(guard.check).apply(lambda metadata: metadata["name"])
        self.register_outputs({"namespace": self.namespace})

    def count_in(self, workload: str, objects: Manifests) -> None:
        """Count a workload's objects among the team's.

        Raises ArgumentError where the quota cannot hold them beside those that were counted before,
        with the resource, the sum and every workload's share.
        """
        found = self._capacity.add(workload, footprint(objects.values(), self._capacity.terms.limits))
        if found:
            raise ArgumentError("", [self._problem(short) for short in found])

    def _problem(self, short: Shortfall) -> Problem:
        argument, *keys = short.path
        subject = short.workload or f"TeamNamespace {self._name}"
        return Problem((subject, to_snake(argument), *keys), short.what, short.mend, short.value)


def itself(name: str, objects: Manifests) -> tuple[str, Manifests]:
    """What a team's namespace counts for itself: its own objects, and those that Kubernetes puts there."""
    authority = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kube-root-ca.crt"}}
    return f"TeamNamespace {name}", {**objects, "authority": authority}
