"""The reference from a workload to its team."""

from typing import Annotated, Any

from pydantic import PlainValidator, ValidationInfo, WithJsonSchema

from ..base.arguments import check_reference
from ..base.error_table import REFERENCE_BY_NAME, WRONG_TYPE
from ..team_namespace.component import TeamNamespace


def _team(value: Any, info: ValidationInfo) -> TeamNamespace | str:
    """Check the name of one of the stack's teams; a Python caller passes the TeamNamespace object."""
    if isinstance(value, TeamNamespace):
        return value
    if not isinstance(value, str):
        raise WRONG_TYPE(type="a TeamNamespace" if info.context is None else "the name of a team", got="")
    if info.context is None:
        raise REFERENCE_BY_NAME(name=value, type="TeamNamespace")
    check_reference(value, "team", info.context["names"]["teams"])
    return value


TeamReference = Annotated[
    TeamNamespace | str,
    PlainValidator(_team),
    WithJsonSchema(
        {"type": "string", "description": "The name of one of the stack's teams.", "examples": ["ml-training"]}
    ),
]
"""A TeamNamespace; in a stack's configuration, its name."""
