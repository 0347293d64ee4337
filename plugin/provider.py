"""Constructs the components for programs in other languages.

Pulumi's own ``component_provider_host`` infers a schema from annotations, and would want every
argument a second time as a TypedDict. This host reads the argument models instead, and validates
by them: a program in any language gets the same errors.
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
        """Make a component of a caller's inputs."""
        component, model = next(
            (component, model) for component, model in COMPONENTS.items() if token(component) == resource_type
        )
        made: Any = component(name, _arguments(model, inputs), options)  # type: ignore[arg-type]
        if isinstance(made, TeamNamespace):
            self._teams.add(made)
        state = {spelled: getattr(made, attribute) for attribute, spelled in outputs(component).items()}
        return ConstructResult(made.urn, state)


def _arguments(model: type[Arguments], inputs: Mapping[str, Any]) -> Arguments:
    """The arguments in the caller's spelling; all that is wrong with them is said by its path there."""
    try:
        return model.model_validate(_whole(inputs), by_alias=True, by_name=False)
    except ValidationError as error:
        problems: list[InputPropertyErrorDetails] = [
            {
                "property_path": problem.property_path(),
                "reason": "; ".join(filter(None, (problem.message, problem.fix))),
            }
            for problem in problems_of(error)
        ]
        raise InputPropertiesError(f"{model.__name__.removesuffix('Args')}: wrong arguments", problems) from None


def _whole(value: Any) -> Any:
    """Inputs with whole numbers as such: on its way to a plugin, every number becomes a float."""
    if isinstance(value, Mapping):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


class _Teams(rpc.ResourceModule):
    """The teams that this process has made: a caller's reference to one becomes the team itself.

    So its workloads are counted against its quota, as in Python. One update has one process of a plugin.
    """

    def __init__(self) -> None:
        self._made: dict[str, TeamNamespace] = {}

    def add(self, team: TeamNamespace) -> None:
        """Remember a team, once its URN is known: before the caller hears of it."""
        team.urn.apply(lambda urn: self._made.__setitem__(urn, team))

    def version(self) -> None:
        """Of any version."""

    def construct(self, name: str, typ: str, urn: str) -> pulumi.Resource:  # noqa: ARG002
        """The team of a URN."""
        if urn not in self._made:
            raise pulumi.RunError(f"{name}: not a team of this program; give namespace instead of team")
        return self._made[urn]
