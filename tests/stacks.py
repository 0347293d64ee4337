"""Loads stacks as the commands and the engine do."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from components.base.errors import Problem
from components.base.validation import problems_of
from config import StackError, StackSettings, load, load_file
from tests.mocks import deploy

Settings = dict[str, Any]


def write(settings: Settings, folder: Path, stack: str = "prod") -> Path:
    """Write settings to a stack's file."""
    content = {"config": {f"ml-platform:{key}": value for key, value in settings.items()}}
    file = folder / f"Pulumi.{stack}.yaml"
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return file


def through_file(settings: Settings, folder: Path) -> StackSettings:
    """Load settings from a stack's file."""
    write(settings, folder)
    return load_file("prod", folder)


def through_engine(settings: Settings) -> StackSettings:
    """Load settings in a running program, to which the engine passes them as JSON."""
    loaded: list[StackSettings] = []
    config = {f"ml-platform:{key}": json.dumps(value) for key, value in settings.items()}
    deploy(lambda: loaded.append(load()), stack="prod", config=config)
    return loaded[0]


def stack_error(load: Callable[[], object]) -> StackError:
    """The error with which a stack is rejected."""
    try:
        load()
    except StackError as error:
        return error
    raise AssertionError("the stack is valid")


def problems(settings: Settings) -> list[Problem]:
    """The problems of settings, without the fixes that the loader adds."""
    try:
        StackSettings.parse(settings)
    except ValidationError as error:
        return problems_of(error)
    return []
