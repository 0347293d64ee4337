"""The errors of invalid arguments, by code and path."""

from collections.abc import Callable, Iterable

from components import ArgumentError
from components.base.errors import Problem

Found = tuple[str, str]
"""The code of an error, and its path."""


def problems(make: Callable[[], object]) -> list[Problem]:
    """The problems with which a callable raises ArgumentError; none if it returns."""
    try:
        make()
    except ArgumentError as error:
        return list(error.problems)
    return []


def found(problems: Iterable[Problem]) -> list[Found]:
    """The codes and paths of problems."""
    return [(problem.code, problem.property_path()) for problem in problems]


def errors(make: Callable[[], object]) -> list[Found]:
    """The codes and paths of the errors that a callable raises."""
    return found(problems(make))
