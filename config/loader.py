"""Reading a stack: from the running program's configuration, or from its file without an engine."""

import json
import shlex
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pulumi
import yaml
from pulumi.runtime.config import CONFIG, is_config_secret
from pydantic import ValidationError

from components.base.errors import Problem, property_path
from components.base.validation import problems_of
from config.schema import Schema
from config.settings import StackSettings

PROJECT = "ml-platform"
_KEYS = {str(field.alias) for field in StackSettings.model_fields.values()}


class StackError(pulumi.RunError):
    """A stack's configuration is wrong: every problem, where it stands and how to fix it.

    Pulumi prints a RunError without a traceback.
    """

    def __init__(self, stack: str, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        lines = [line for problem in problems for line in _explain(stack, problem)]
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__("\n".join([f"{count} in the configuration of stack {stack}", *lines]))


def load() -> StackSettings:
    """The settings of the stack that is being deployed.

    Raises StackError with every problem of the stack at once.
    """
    config = pulumi.Config(PROJECT)
    settings = {key: value for key in _KEYS if (value := config.get(key)) is not None}
    secret = [key for key in settings if is_config_secret(config.full_key(key))]
    values, problems = _parsed(settings)
    # The SDK has no call that lists keys, and a misspelled one must not pass in silence.
    given = [key.split(":", 1)[1] for key in CONFIG.get() if key.startswith(f"{PROJECT}:")]
    return _validated(pulumi.get_stack(), values, [*problems, *_refused_keys(given, secret)])


# The keys of a stack's file, as Pulumi reads it.
_OF_PULUMI = {"config", "encryptedkey", "encryptionsalt", "environment", "secretsprovider"}


def load_file(stack: str, folder: Path) -> StackSettings:
    """The settings of a stack from ``Pulumi.<stack>.yaml`` in a folder, without an engine.

    Raises StackError with every problem of the stack at once.
    """
    path = folder / f"Pulumi.{stack}.yaml"
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        files = (file.name for file in folder.glob("Pulumi.*.yaml"))
        # Pulumi allows dots in a stack's name.
        known = ", ".join(sorted(name.removeprefix("Pulumi.").removesuffix(".yaml") for name in files)) or "none"
        raise StackError(
            stack, [Problem((), "there is no such file", f"the project has the stacks: {known}")]
        ) from None
    except UnicodeDecodeError as error:
        raise StackError(stack, [Problem((), f"is not UTF-8 at byte {error.start + 1}", "save it as UTF-8")]) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise StackError(stack, [Problem((), f"is not YAML{where}", "fix the indentation or quotes there")]) from None
    whole = _mapping(stack, content)
    unknown = sorted(str(key) for key in whole.keys() - _OF_PULUMI)
    if unknown and "config" not in whole:  # a misspelled one would make an empty stack
        known = ", ".join(sorted(_OF_PULUMI))
        raise StackError(
            stack, [Problem((), f"{', '.join(unknown)} is no key of a stack's file", f"Pulumi knows {known}")]
        )
    config = _mapping(stack, whole.get("config"), "config: ")
    ours = {key.split(":", 1)[1]: value for key, value in config.items() if str(key).startswith(f"{PROJECT}:")}
    secret = [key for key, value in ours.items() if _holds_secret(value)]
    values = {key: value for key, value in ours.items() if key in _KEYS}
    return _validated(stack, values, _refused_keys(ours, secret))


def _mapping(stack: str, value: Any, where: str = "") -> Mapping[Any, Any]:
    """A part of the file that may be absent; anything else is refused, since an empty stack would come of it."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        fix = f"write each setting as a key below config:, for example {PROJECT}:teams:"
        raise StackError(stack, [Problem((), f"{where}must be a mapping of keys to values", fix)])
    return value


def _validated(stack: str, values: dict[str, Any], problems: list[Problem]) -> StackSettings:
    secret = {problem.path[0] for problem in problems}
    try:
        values = {key: value for key, value in values.items() if key not in secret}
        settings = StackSettings.parse(values)
    except ValidationError as error:
        raise StackError(stack, [*problems, *problems_of(error)]) from None
    if problems:
        raise StackError(stack, problems)
    return settings


def _parsed(settings: Mapping[str, str]) -> tuple[dict[str, Any], list[Problem]]:
    values: dict[str, Any] = {}
    problems = []
    for key, text in settings.items():
        try:
            values[key] = json.loads(text)
        except json.JSONDecodeError:
            problems.append(Problem((key,), "must be a mapping of names to values"))
    return values, problems


def _refused_keys(given: Iterable[str], secret: list[str]) -> list[Problem]:
    unknown = [Problem((key,), "is not a known key", unknown_key=True) for key in given if key not in _KEYS]
    fix = "keep secrets in a Secret of the cluster, and refer to its keys with secretEnv"
    return unknown + [Problem((key,), "holds a secret, which would end up in the state", fix) for key in secret]


def _holds_secret(value: Any) -> bool:
    if isinstance(value, Mapping):
        return "secure" in value or any(_holds_secret(item) for item in value.values())
    return isinstance(value, list) and any(_holds_secret(item) for item in value)


def _explain(stack: str, problem: Problem) -> list[str]:
    """Where, what, and a command or sentence that fixes it."""
    file = f"Pulumi.{stack}.yaml"
    if not problem.path:
        return [f"{file}: {problem.message}", *([f"  {problem.fix}"] if problem.fix else [])]
    path = f"{PROJECT}:{property_path(problem.path)}"
    lines = [f"{file}: {path}: {problem.message}"]
    schema = Schema()
    if problem.unknown_key:
        known = schema.keys(problem.path[:-1])
        near = get_close_matches(str(problem.path[-1]), known, n=1)
        lines[0] += f" (did you mean {near[0]!r}?)" if near else f" (known: {', '.join(sorted(known))})"
        lines.append(f"  pulumi config rm --path {shlex.quote(path)} --stack {stack}")
        return lines
    if problem.fix:
        lines.append(f"  {problem.fix}")
    value = problem.value if problem.value is not None else (None if problem.fix else schema.example(problem.path))
    if isinstance(value, bool | int | float | str):
        text = str(value).lower() if isinstance(value, bool) else str(value)
        lines.append(f"  pulumi config set --path {shlex.quote(path)} {shlex.quote(text)} --stack {stack}")
    elif value is not None:
        lines.append(f"  for example: {json.dumps(value)}")
    return lines
