"""The provider that constructs the components for programs in other languages.

Pulumi's own ``component_provider_host`` infers a schema from annotations, and requires every argument a
second time as a TypedDict. This host reads the argument models instead, and validates with them: programs
in any language get the same errors.
"""

import json
from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.errors import InputPropertiesError, InputPropertyErrorDetails
from pulumi.provider import ConstructResult, Provider
from pulumi.runtime import rpc
from pydantic import ValidationError

from components import (
    VERSION,
    ModelService,
    ModelServiceArgs,
    PriorityClasses,
    PriorityClassesArgs,
    TeamNamespace,
    TeamNamespaceArgs,
    TrainingJob,
    TrainingJobArgs,
)
from components.base.arguments import Arguments
from components.base.error_table import FOREIGN_TEAM
from components.base.errors import ArgumentError, Problem
from components.base.ownership import checked
from components.base.validation import problems_of
from plugin.schema import PACKAGE, outputs, schema, token

COMPONENTS: dict[type[pulumi.ComponentResource], type[Arguments]] = {
    TeamNamespace: TeamNamespaceArgs,
    TrainingJob: TrainingJobArgs,
    ModelService: ModelServiceArgs,
    PriorityClasses: PriorityClassesArgs,
}


class Components(Provider):
    """The provider of the package."""

    def __init__(self) -> None:
        super().__init__(VERSION, json.dumps(schema(COMPONENTS)))
        self._teams = _Teams()
        rpc.register_resource_module(PACKAGE, "index", self._teams)

    def construct(
        self,
        name: str,
        resource_type: str,
        inputs: Mapping[str, pulumi.Input[Any]],
        options: pulumi.ResourceOptions | None = None,
    ) -> ConstructResult:
        """Construct a component from a caller's inputs."""
        component, model = next(
            (component, model) for component, model in COMPONENTS.items() if token(component) == resource_type
        )
        resource: Any = component(name, _arguments(model, inputs), options)  # type: ignore[arg-type]
        if isinstance(resource, TeamNamespace):
            self._teams.add(resource)
        state = {output: getattr(resource, attribute) for attribute, output in outputs(component).items()}
        return ConstructResult(checked(resource.urn), state)


def _arguments(model: type[Arguments], inputs: Mapping[str, Any]) -> Arguments:
    """The arguments from inputs in camelCase. Raises InputPropertiesError with the path of each problem."""
    try:
        return model.model_validate(_with_integers(inputs), by_alias=True, by_name=False)
    except ValidationError as error:
        details: list[InputPropertyErrorDetails] = [
            {"property_path": problem.property_path(), "reason": _reason(problem)} for problem in problems_of(error)
        ]
        raise InputPropertiesError(f"{model.__name__.removesuffix('Args')}: invalid arguments", details) from None


def _reason(problem: Problem) -> str:
    """A problem on one line, as Pulumi prints it behind its path."""
    advice = problem.advice()
    return f"{problem.message} [{problem.code}]" + (f": {advice}" if advice else "")


def _with_integers(value: Any) -> Any:
    """Inputs with integral numbers as integers: the plugin protocol passes every number as a float."""
    if isinstance(value, Mapping):
        return {key: _with_integers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_integers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


class _Teams(rpc.ResourceModule):
    """The teams that this process has constructed, by URN: a caller's reference to one resolves to the team itself.

    Workloads therefore count against its quota, as in Python. An update uses one process of a plugin.
    """

    def __init__(self) -> None:
        self._by_urn: dict[str, TeamNamespace] = {}

    def add(self, team: TeamNamespace) -> None:
        """Register a team as soon as its URN is known, which is before the caller receives it."""
        team.urn.apply(lambda urn: self._by_urn.__setitem__(urn, team))

    def version(self) -> None:
        """None: the teams of any version of the package."""

    def construct(self, name: str, typ: str, urn: str) -> pulumi.Resource:  # noqa: ARG002
        """The team of a URN. Raises ArgumentError if this program has not constructed it."""
        if urn not in self._by_urn:
            raise ArgumentError(f"TeamNamespace {name}", [FOREIGN_TEAM.problem((), name=name)])
        return self._by_urn[urn]
