"""The names of a workload's objects, their team and namespace, and the adoption of existing ones."""

from collections.abc import Mapping
from typing import Any, Self

import pulumi

from ..base.arguments import Arguments
from ..base.error_table import EXACTLY_ONE
from ..base.names import DeferredNamespace, DnsLabel
from ..base.registration import Manifests
from ..team_namespace.args import Tenant
from ..team_namespace.component import TeamNamespace
from .team_reference import TeamReference


class ObjectArgs(Arguments):
    """Arguments of every workload: the names, team and namespace of its objects, and whether they may exist already."""

    name: DnsLabel | None = None
    """The name of the objects. Defaults to the name of the component.

    Set it to keep the objects of a component that is renamed. A change replaces the object.
    """

    container_name: DnsLabel | None = None
    """The name of the main container: that of an existing workload which is adopted.

    Defaults to ``server`` for a service, and to ``trainer`` for a job.

    A change rolls the pods of a service; a job needs a new run.
    """

    adopt: bool = False
    """Adopt objects of these names that exist already, and that no component owns. Without it, they are rejected.

    Adopted objects are not deleted with the stack until ``adopt`` is removed. A Job or Pod is adopted only if its
    run is identical. Updatable in place.
    """

    team: TeamReference | None = None
    """The team in whose namespace the workload runs. Mutually exclusive with ``namespace``.

    A change replaces the objects of a service; a job needs a new run.
    """

    namespace: DeferredNamespace | None = None
    """An existing namespace in which the workload runs. Mutually exclusive with ``team``.

    A change replaces the objects of a service; a job needs a new run.
    """

    def object_name(self, component: str) -> str:
        """The name of the objects of a component."""
        return self.name or component

    def tenancy_problems(self) -> list[Any]:
        """The problem of a workload that has neither a team nor a namespace, or both."""
        if (self.team is None) != (self.namespace is None):
            return []
        given = [] if self.team is None else ["team", "namespace"]
        return [(("team",), EXACTLY_ONE(options=["team", "namespace"], given=given))]

    def resolve_team(self, teams: Mapping[str, TeamNamespace]) -> Self:
        """The same arguments, with the TeamNamespace instead of its name."""
        return self.model_copy(update={"team": teams[self.team]}) if isinstance(self.team, str) else self

    def tenant(self) -> Tenant:
        """The namespace of the workload, and the team that owns it. Call ``resolve_team`` before."""
        if isinstance(self.team, TeamNamespace):
            return self.team.tenant
        if self.namespace is not None:
            return Tenant(self.namespace, None)
        raise ValueError("the team is a name: call resolve_team() first")

    def reserve_quota(self, workload: str, manifests: Manifests) -> None:
        """Count the workload's objects towards the team's quota. Raises ArgumentError if they exceed it."""
        if isinstance(self.team, TeamNamespace):
            self.team.reserve_quota(workload, manifests)

    def dependencies(self) -> list[pulumi.Resource]:
        """The resources that must exist before the workload: the team's namespace with its quotas and policies."""
        return [self.team] if isinstance(self.team, TeamNamespace) else []
