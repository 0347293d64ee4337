"""Errors of arguments: what a kind of error is, and how errors are reported. ``error_table`` defines the kinds.

A kind has a stable code, a message, and a fix where one exists. Validators raise kinds; a ``Problem`` is one
error at its path.
"""

import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

Path = tuple[str | int, ...]

PROBLEM = "problem"
"""pydantic's type of an error that holds a Problem as its context."""


@dataclass(frozen=True)
class Problem:
    """One error: its kind, where it is, and how to fix it."""

    code: str
    """The stable code of its kind."""

    path: Path
    message: str
    fix: str | None = None
    """How to fix it, unless the message states it."""

    value: Any = None
    """A valid value for the path, where one is known."""

    key: str | None = None
    """The valid key that replaces the last one of the path, if the key is invalid rather than its value."""

    def property_path(self) -> str:
        """The path in Pulumi's notation: ``a.b[0]["c.d"]``."""
        return property_path(self.path)

    def advice(self) -> str | None:
        """The fix in words: the key to write, or the fix of the kind; None if only a value or nothing is known."""
        return self.fix if self.key is None else f"rename it to {self.key!r}"

    def error(self) -> PydanticCustomError:
        """The problem as an error for a validator to raise or return."""
        return PydanticCustomError(PROBLEM, "{message}", vars(self))


class ArgumentError(pulumi.RunError, ValueError):
    """Invalid arguments of a component, with all their problems.

    Pulumi prints a RunError without a traceback.
    """

    def __init__(self, subject: str, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(report(subject, self.problems))


def report(subject: str, problems: Iterable[Problem]) -> str:
    """Problems as they are printed: ``subject.path: message [code]``, and the advice on the next line."""
    lines = []
    for problem in problems:
        path = ".".join(filter(None, (subject, problem.property_path())))
        lines.append(f"{path}: {problem.message} [{problem.code}]")
        advice = problem.advice() or (None if problem.value is None else f"for example {problem.value!r}")
        if advice:
            lines.append(f"  {advice}")
    return "\n".join(lines)


@dataclass(frozen=True)
class ErrorKind:
    """One kind of error.

    ``message`` and ``fix`` are templates: ``{name:example}`` is filled with the value of that name.
    """

    code: str
    message: str
    fix: str | None = None

    def __call__(self, *, value: Any = None, key: str | None = None, **context: Any) -> PydanticCustomError:
        """The error for a validator to raise or return. ``value`` and ``key``: see Problem."""
        return self.problem((), value=value, key=key, **context).error()

    def problem(
        self, path: Iterable[str | int], /, *, value: Any = None, key: str | None = None, **context: Any
    ) -> Problem:
        """The error at a path."""
        message, fix = (_filled(template, context) for template in (self.message, self.fix or ""))
        return Problem(self.code, tuple(path), message, fix or None, value, key)

    def example(self) -> tuple[str, str]:
        """The message and the fix with their examples."""
        return _EXAMPLE.vformat(self.message, (), {}), _EXAMPLE.vformat(self.fix or "", (), {})


class _Formatter(string.Formatter):
    """Fills a template. What follows the colon of a field is its example, and does not count."""

    def format_field(self, value: Any, format_spec: str) -> str:  # noqa: ARG002
        if not isinstance(value, list | tuple):
            return str(value)
        *first, last = map(str, value or ["none"])
        return f"{', '.join(first)} and {last}" if first else last


class _Example(string.Formatter):
    """Shows the examples of a template."""

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> Any:  # noqa: ARG002
        return field_name, field_name

    def convert_field(self, value: Any, conversion: Any) -> Any:  # noqa: ARG002
        return value

    def format_field(self, value: Any, format_spec: str) -> str:  # noqa: ARG002
        return format_spec


_FORMATTER, _EXAMPLE = _Formatter(), _Example()


def _filled(template: str, context: Mapping[str, Any]) -> str:
    return _FORMATTER.vformat(template, (), context).strip()


def raise_all(model: str, problems: Iterable[tuple[Sequence[str | int], PydanticCustomError]]) -> None:
    """Raise all problems of a cross-field validation together, each at its path; return if there are none."""
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
