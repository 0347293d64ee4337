"""Errors of arguments: where, what, and how to fix it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pydantic import ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with an argument: where, what, and how to fix it."""

    path: tuple[str | int, ...]
    what: str
    fix: str | None = None
    """A sentence that says how to fix it, where the message alone does not."""
    value: Any = None
    """A value that would be right, where one is known."""
    unknown_key: bool = False

    def where(self) -> str:
        """The path in Pulumi's own notation: ``a.b[0]["c.d"]``."""
        return property_path(self.path)


class ArgumentError(pulumi.RunError, ValueError):
    """Arguments that a component refuses.

    Pulumi prints a RunError without a traceback.
    """

    def __init__(self, subject: str, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        lines = []
        for problem in self.problems:
            where = ".".join(filter(None, (subject, problem.where())))
            lines.append(f"{where}: {problem.what}")
            if problem.fix:
                lines.append(f"  {problem.fix}")
        super().__init__("\n".join(lines))


def refuse(what: str, fix: str | None = None, value: Any = None) -> PydanticCustomError:
    """An error for a validator to raise: what is wrong, how to fix it, a value that would do."""
    context = {"what": what, "fix": fix, "value": value}
    return PydanticCustomError("refused", "{what}", context)


def refuse_all(model: str, problems: Iterable[tuple[Sequence[str | int], PydanticCustomError]]) -> None:
    """Raise all problems of a cross-field check at once, each at its own path; none: return."""
    errors = [InitErrorDetails(type=error, loc=tuple(path), input=None) for path, error in problems]
    if errors:
        raise ValidationError.from_exception_data(model, errors)


def property_path(path: Iterable[str | int]) -> str:
    """A path in the notation that ``pulumi config set --path`` reads."""
    text = ""
    for segment in path:
        if isinstance(segment, int):
            text += f"[{segment}]"
        elif not segment or any(character in segment for character in '.[]"'):
            escaped = segment.replace("\\", "\\\\").replace('"', '\\"')
            text += f'["{escaped}"]'
        else:
            text += f".{segment}" if text else segment
    return text


# pydantic's error types, in the words of this project. `{}` of a message is filled from the context.
_MESSAGES = {
    "missing": "is required",
    "extra_forbidden": "is not a known key",
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "decimal_parsing": "must be a number",
    "decimal_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping of names to values",
    "mapping_type": "must be a mapping of names to values",
    "model_type": "must be a mapping of names to values",
    "model_attributes_type": "must be a mapping of names to values",
    "literal_error": "must be one of {expected}",
    "enum": "must be one of {expected}",
    "too_short": "needs at least {min_length} entries",
    "too_long": "takes at most {max_length} entries",
}


# Below these keys a value is the user's own text, which may be a secret in the wrong place.
_NEVER_ECHOED = {"env", "annotations", "secretEnv", "secret_env", "args", "command"}


def problems_of(error: ValidationError) -> list[Problem]:
    """All problems that a validation found, in the words of this project."""
    return [_problem(details) for details in error.errors(include_url=False)]


def _problem(details: ErrorDetails) -> Problem:
    path = tuple(part for part in details["loc"] if not _is_machinery(part))
    context: dict[str, Any] = details.get("ctx", {})
    if details["type"] == "refused":
        what, fix, value = context["what"], context["fix"], context["value"]
        if details["loc"][-1:] == ("[key]",) and value is not None:  # the name itself is wrong, not what it names
            fix, value = f"rename it, for example to {value}", None
        return Problem(path, what, fix, value)
    template = _MESSAGES.get(details["type"])
    what = template.format(**context) if template else _decapitalized(details["msg"])
    return Problem(path, what + _got(details, path), unknown_key=details["type"] == "extra_forbidden")


def _is_machinery(part: str | int) -> bool:
    """Whether a part of pydantic's path names a step of validation, not a key of the user's."""
    return isinstance(part, str) and (part == "[key]" or part.startswith(("function-", "chain[", "is-instance[")))


def _got(details: ErrorDetails, path: tuple[str | int, ...]) -> str:
    given = details["input"]
    if details["type"] in {"missing", "extra_forbidden"} or _NEVER_ECHOED.intersection(path):
        return ""
    if given is None:
        return " (got nothing)"
    if isinstance(given, bool):
        return f" (got {str(given).lower()})"
    if isinstance(given, int | float):
        return f" (got {given})"
    if isinstance(given, str):
        return f" (got {given[:60]!r})"
    return f" (got a {_KINDS.get(type(given), type(given).__name__)})"


_KINDS: dict[type, str] = {dict: "mapping", list: "list", tuple: "list"}


def _decapitalized(text: str) -> str:
    return text[:1].lower() + text[1:]
