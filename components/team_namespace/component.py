"""TeamNamespace: the namespace of a team, with its quotas, limits, network policies and roles."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pulumi
from pydantic.alias_generators import to_snake

from ..base.arguments import checked_name
from ..base.errors import ArgumentError, Problem
from ..base.names import NamespaceName
from ..base.program import tracked
from ..base.registration import Manifests, register_all
from .args import TeamNamespaceArgs, Tenant
from .footprint import footprint
from .manifests import ACCOUNT, NAMESPACE, PROTECTED, manifests
from .quota_check import QuotaProblem, QuotaUsage

TYPE = "ml-platform:index:TeamNamespace"


def _options(args: TeamNamespaceArgs, objects: Iterable[str]) -> dict[str, pulumi.ResourceOptions]:
    """The resource options of the children, by role: retention, protection, aliases, replacement."""
    retain, protect = args.on_delete == "retain", args.on_delete == "protect"
    options = {
        role: pulumi.ResourceOptions(retain_on_delete=retain or None, protect=protect and role in PROTECTED)
        for role in objects
    }
    # The account is deleted with its namespace.
    options[ACCOUNT] = pulumi.ResourceOptions(retain_on_delete=True)
    # Until 0.1.0, an adopted namespace was a resource of another type.
    former = pulumi.ResourceOptions(aliases=[pulumi.Alias(type_="kubernetes:core/v1:NamespacePatch")])
    options[NAMESPACE] = pulumi.ResourceOptions.merge(options[NAMESPACE], former)
    for role in options:
        if role.startswith("queue-"):  # immutable, and the provider would try to update it
            immutable = pulumi.ResourceOptions(replace_on_changes=["spec.clusterQueue"], delete_before_replace=True)
            options[role] = pulumi.ResourceOptions.merge(options[role], immutable)
    return options


class TeamNamespace(pulumi.ComponentResource):
    """A team's namespace, with its quotas, limits, network policies and roles.

    Children: ``<name>-namespace``, and one for each quota, limit range, policy, role and role binding.
    """

    namespace: pulumi.Output[str]
    """The name of the namespace. Known once it exists."""

    tenant: Tenant
    """The namespace's name and the team's label, for workloads in it."""

    def __init__(
        self, name: str, args: TeamNamespaceArgs | dict[str, Any], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = TeamNamespaceArgs.of(args)
        checked_name("TeamNamespace", args.name or name, NamespaceName)
        super().__init__(TYPE, name, {}, tracked("TeamNamespace", name, args.name or name, args, opts))
        self._name = name
        self._usage = QuotaUsage(args.constraints(args.name or name))
        self.tenant = args.tenant(name)
        objects = manifests(name, args)
        self.reserve_quota(*own_objects(name, objects))
        options = _options(args, objects)
        adopted = {NAMESPACE} if args.adopt else ()
        children = register_all(self, name, objects, options=options, patches={ACCOUNT}, adopted=adopted)
        self.namespace = children[NAMESPACE].metadata.apply(lambda metadata: metadata["name"])
        self.register_outputs({"namespace": self.namespace})

    def reserve_quota(self, workload: str, objects: Manifests) -> None:
        """Count a workload's objects towards the team's quota.

        Raises ArgumentError if the quota cannot hold them in addition to those that were counted before. The error
        names the resource, the sum and the share of each workload.
        """
        found = self._usage.reserve(workload, footprint(objects.values(), self._usage.constraints.limits))
        if found:
            raise ArgumentError("", [self._problem(quota_problem) for quota_problem in found])

    def _problem(self, found: QuotaProblem) -> Problem:
        argument, *keys = found.problem.path
        subject = found.workload or f"TeamNamespace {self._name}"
        return replace(found.problem, path=(subject, to_snake(str(argument)), *keys))


def own_objects(name: str, objects: Manifests) -> tuple[str, Manifests]:
    """The objects that count towards the quota without any workload: the component's, and one that Kubernetes creates.

    With the name under which they are reported.
    """
    authority = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kube-root-ca.crt"}}
    return f"TeamNamespace {name}", {**objects, "authority": authority}
