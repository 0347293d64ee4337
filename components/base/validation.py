"""What pydantic finds, as problems: at the paths of the user's own keys, in the messages of the error table."""

from dataclasses import replace
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from .error_table import INVALID, PYDANTIC
from .errors import PROBLEM, Path, Problem

# Values below these keys are the user's own text, which may be a secret in the wrong place.
_NEVER_ECHOED = {"env", "annotations", "secretEnv", "secret_env", "args", "command"}


def problems_of(error: ValidationError) -> list[Problem]:
    """All problems of a validation."""
    return [_problem(details) for details in error.errors(include_url=False)]


def _problem(details: ErrorDetails) -> Problem:
    path = tuple(part for part in details["loc"] if not _is_internal(part))
    context: dict[str, Any] = details.get("ctx", {})
    if details["type"] == PROBLEM:
        problem = Problem(**{**context, "path": path})
        is_key = details["loc"][-1:] == ("[key]",)
        return replace(problem, value=None, key=str(problem.value)) if is_key and problem.value else problem
    kind = PYDANTIC.get(details["type"], INVALID)
    message = details["msg"][:1].lower() + details["msg"][1:]
    return kind.problem(path, got=_got(details, path), **{"reason": message, **context})


def _is_internal(part: str | int) -> bool:
    """Whether a part of pydantic's path names a step of validation rather than a key of the input."""
    return isinstance(part, str) and (part == "[key]" or part.startswith(("function-", "chain[", "is-instance[")))


def _got(details: ErrorDetails, path: Path) -> str:
    given = details["input"]
    if _NEVER_ECHOED.intersection(path):
        return ""
    if given is None:
        return " (got nothing)"
    if isinstance(given, bool):
        return f" (got {str(given).lower()})"
    if isinstance(given, int | float):
        return f" (got {given})"
    if isinstance(given, str):
        return f" (got {given[:60]!r})"
    return f" (got a {_TYPE_NAMES.get(type(given), type(given).__name__)})"


_TYPE_NAMES: dict[type, str] = {dict: "mapping", list: "list", tuple: "list"}
