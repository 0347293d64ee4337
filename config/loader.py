"""Loads the configuration of a stack: in the running program, or from its file without an engine."""

import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pulumi
import yaml
from pulumi.runtime.config import CONFIG, is_config_secret
from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from components.base.error_table import (
    FILE_NOT_FOUND,
    NAME_INVALID,
    NAME_TAKEN,
    NOT_A_MAPPING,
    NOT_UTF8,
    NOT_YAML,
    RESERVED,
    SECRET_IN_CONFIGURATION,
    UNKNOWN_FILE_KEY,
    UNKNOWN_KEY,
)
from components.base.errors import Path as PropertyPath
from components.base.errors import Problem, property_path
from components.base.validation import problems_of
from config.schema import Schema
from config.settings import StackSettings

PROJECT = "ml-platform"
_SECTIONS = {str(field.alias) for field in StackSettings.model_fields.values()}
_SCHEMA = Schema()


class StackError(pulumi.RunError):
    """The configuration of a stack is invalid: all problems, each with its path and its fix.

    Pulumi prints a RunError without a traceback.
    """

    def __init__(self, stack: str, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        lines = [line for problem in problems for line in _lines(stack, problem)]
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__("\n".join([f"{count} in the configuration of stack {stack}", *lines]))


def load() -> StackSettings:
    """The settings of the stack that is being deployed. Raises StackError with all problems."""
    config = pulumi.Config(PROJECT)
    # The SDK has no public call that lists the keys, and a misspelled one must be reported.
    given = [key.split(":", 1)[1] for key in CONFIG.get() if key.startswith(f"{PROJECT}:")]
    secret = [key for key in given if is_config_secret(config.full_key(key))]
    values = {key: _json(text) for key in given if (text := config.get(key)) is not None}
    return _validated(pulumi.get_stack(), values, secret)


# The keys of a stack's file that Pulumi reads.
_FILE_KEYS = {"config", "encryptedkey", "encryptionsalt", "environment", "secretsprovider"}


def load_file(stack: str, folder: Path) -> StackSettings:
    """The settings in ``Pulumi.<stack>.yaml`` of a folder, without an engine. Raises StackError with all problems."""
    path = folder / f"Pulumi.{stack}.yaml"
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        names = (file.name for file in folder.glob("Pulumi.*.yaml"))
        # The name of a stack may contain dots.
        known = sorted(name.removeprefix("Pulumi.").removesuffix(".yaml") for name in names)
        raise StackError(stack, [FILE_NOT_FOUND.problem((), known=known)]) from None
    except UnicodeDecodeError as error:
        raise StackError(stack, [NOT_UTF8.problem((), byte=error.start + 1)]) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        position = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise StackError(stack, [NOT_YAML.problem((), position=position)]) from None
    whole = _mapping(stack, content)
    unknown = sorted(str(key) for key in whole.keys() - _FILE_KEYS)
    if unknown and "config" not in whole:  # a misspelled `config` would otherwise load as an empty stack
        raise StackError(stack, [UNKNOWN_FILE_KEY.problem((), keys=unknown, known=sorted(_FILE_KEYS))])
    config = _mapping(stack, whole.get("config"), "config: ")
    values = {str(key).split(":", 1)[1]: value for key, value in config.items() if str(key).startswith(f"{PROJECT}:")}
    return _validated(stack, values, [key for key, value in values.items() if _holds_secret(value)])


def _mapping(stack: str, value: Any, part: str = "") -> Mapping[Any, Any]:
    """A part of the file that may be absent. Anything else but a mapping would otherwise load as an empty stack."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise StackError(stack, [NOT_A_MAPPING.problem((), part=part)])
    return value


def _json(text: str) -> Any:
    """The value that the engine passes as JSON. Any other text is invalid for every section, and reported as such."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _holds_secret(value: Any) -> bool:
    if isinstance(value, Mapping):
        return "secure" in value or any(_holds_secret(item) for item in value.values())
    return isinstance(value, list) and any(_holds_secret(item) for item in value)


def _validated(stack: str, values: Mapping[str, Any], secret: Iterable[str]) -> StackSettings:
    """The settings of the values by section. Sections that hold a secret are reported, and not validated."""
    problems = [UNKNOWN_KEY.problem((key,), fix="") for key in values if key not in _SECTIONS]
    problems += [SECRET_IN_CONFIGURATION.problem((key,)) for key in secret]
    excluded = {problem.path[0] for problem in problems}
    settings = None
    try:
        settings = StackSettings.parse({key: value for key, value in values.items() if key not in excluded})
    except ValidationError as error:
        problems += problems_of(error)
    if settings is None or problems:
        raise StackError(stack, [_with_fix(problem, values) for problem in problems])
    return settings


def _with_fix(problem: Problem, values: Mapping[str, Any]) -> Problem:
    """A problem with a fix for this stack: a key to write, a valid value, or words."""
    if problem.code == UNKNOWN_KEY.code:
        problem = _with_known_keys(problem)
    if problem.key is not None and problem.key in _siblings(values, problem.path):
        # A rename would overwrite the other key.
        another = problem.code in {NAME_INVALID.code, NAME_TAKEN.code, RESERVED.code}
        fix = "choose another name" if another else f"merge it into {problem.key!r}, which is set too"
        return replace(problem, key=None, fix=fix)
    if problem.fix or problem.key is not None or problem.value is not None:
        return problem
    example = _SCHEMA.example(problem.path)
    if isinstance(example, Mapping | list):
        return replace(problem, fix=f"for example: {json.dumps(example)}")
    return replace(problem, value=example)


def _with_known_keys(problem: Problem) -> Problem:
    """The problem of an unknown key, with the known key that it resembles, or else all known keys."""
    *parent, key = problem.path
    known = _SCHEMA.keys(parent)
    near = _near(to_camel(str(key)), known)
    if near is not None:
        return replace(problem, key=near)
    return replace(problem, fix=f"known keys: {', '.join(sorted(known))}")


def _near(key: str, known: Iterable[str]) -> str | None:
    """The known key that a key most likely stands for: of a similar spelling, or longer by a unit."""
    candidates = sorted(known)
    longer = [candidate for candidate in candidates if key and candidate.startswith(key)]
    close = [key] if key in candidates else get_close_matches(key, candidates, n=1)
    return next(iter(close or (longer if len(longer) == 1 else [])), None)


def _siblings(values: Any, path: PropertyPath) -> Iterable[Any]:
    """The keys of the mapping that holds the last key of a path."""
    for segment in path[:-1]:
        values = values[segment]
    return values if isinstance(values, Mapping) else ()


def _lines(stack: str, problem: Problem) -> list[str]:
    """The path and the message, then the fix in words, a command that sets a valid value, or both."""
    path = f"{PROJECT}:{property_path(problem.path)}" if problem.path else ""
    where = ": ".join(filter(None, (f"Pulumi.{stack}.yaml", path)))
    lines = [f"{where}: {problem.message} [{problem.code}]"]
    advice = problem.advice()
    if advice:
        lines.append(f"  {advice}")
    if problem.value is not None:
        value = problem.value if isinstance(problem.value, str) else json.dumps(problem.value)
        lines.append(f"  pulumi config set --path {shlex.quote(path)} {shlex.quote(value)} --stack {stack}")
    return lines
