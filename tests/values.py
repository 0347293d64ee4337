"""Validates single values against the type of an argument."""

from typing import Any

from pydantic import TypeAdapter, ValidationError

from components.base.errors import Problem
from components.base.validation import problems_of


def validated(kind: Any, value: Any) -> Any:
    """The validated value."""
    return TypeAdapter(kind).validate_python(value)


def problem(kind: Any, value: Any) -> Problem:
    """The one problem of an invalid value."""
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        (found,) = problems_of(error)
        return found
    raise AssertionError(f"{value!r} is valid")
