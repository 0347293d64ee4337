"""TeamNamespace: a namespace that belongs to a team, and all that keeps it from hurting the others, or itself."""

from collections.abc import Iterable
from typing import Any

import pulumi
from pydantic.alias_generators import to_snake

from ..base.arguments import checked_name
from ..base.errors import ArgumentError, Problem
from ..base.names import NamespaceName
from ..base.registration import Manifests, register_all
from .args import TeamNamespaceArgs, Tenant, tenant
from .footprint import footprint
from .manifests import _ACCOUNT, _NAMESPACE, _PROTECTED, manifests
from .quota_check import Capacity, Shortfall

TYPE = "ml-platform:index:TeamNamespace"


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
        self.count_in(*own_objects(name, objects))
        patches = {_ACCOUNT, *([_NAMESPACE] if args.adopt else [])}
        options = _options(args, objects)
        children = register_all(self, name, objects, options=options, patches=patches)
        self.namespace = children[_NAMESPACE].metadata.apply(lambda metadata: metadata["name"])
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
        return Problem((subject, to_snake(argument), *keys), short.what, short.fix, short.value)


def own_objects(name: str, objects: Manifests) -> tuple[str, Manifests]:
    """What a team's namespace counts for itself: its own objects, and those that Kubernetes puts there."""
    authority = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kube-root-ca.crt"}}
    return f"TeamNamespace {name}", {**objects, "authority": authority}
