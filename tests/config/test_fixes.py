"""The suggested fix of every error fixes it, and keeps everything else that the user wrote."""

import copy
from pathlib import Path
from typing import Any

import pytest

from components.base.errors import Path as PropertyPath
from components.base.errors import Problem
from config import StackError
from tests.broken import BROKEN, Settings
from tests.stacks import stack_error, through_file

Leaves = dict[tuple[Any, ...], Any]


def fixed(settings: Settings, problem: Problem) -> Settings:
    """The settings after the structured fix of a problem: its value is set, or its key is renamed."""
    settings = copy.deepcopy(settings)
    parent: Any = settings
    *parents, last = problem.path
    for segment in parents:
        if isinstance(parent, dict):
            parent.setdefault(segment, {})
        parent = parent[segment]
    if problem.key is not None:
        assert problem.key not in parent, "the rename would overwrite another key"
        parent[problem.key] = parent.pop(last)
    else:
        parent[last] = problem.value
    return settings


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Leaves:
    """All values that are not mappings or lists, by path."""
    if isinstance(value, dict) and value:
        return {p: leaf for key, item in value.items() for p, leaf in leaves(item, (*path, key)).items()}
    if isinstance(value, list) and value:
        return {p: leaf for index, item in enumerate(value) for p, leaf in leaves(item, (*path, index)).items()}
    return {path: value}


def renamed(path: tuple[Any, ...], problem: Problem) -> tuple[Any, ...]:
    """A path after the rename that a problem suggests."""
    length = len(problem.path)
    if problem.key is None or path[:length] != problem.path:
        return path
    return (*path[: length - 1], problem.key, *path[length:])


def kept(before: Leaves, problem: Problem) -> Leaves:
    """What must still be there after the fix: everything except a value that was replaced."""
    replaced: PropertyPath = problem.path if problem.key is None else ("",)
    return {renamed(path, problem): leaf for path, leaf in before.items() if path[: len(replaced)] != replaced}


@pytest.mark.parametrize("broken", BROKEN)
def test_the_fix_of_every_problem_leaves_fewer_problems_and_loses_nothing(broken: str, tmp_path: Path) -> None:
    settings = BROKEN[broken].settings()
    problems = stack_error(lambda: through_file(settings, tmp_path)).problems
    for problem in problems:
        if problem.key is None and problem.value is None:
            continue
        after = fixed(settings, problem)
        try:
            through_file(after, tmp_path)
            remaining = 0
        except StackError as error:
            remaining = len(error.problems)
        assert remaining < len(problems), problem
        assert kept(leaves(settings), problem).items() <= leaves(after).items()


@pytest.mark.parametrize("broken", BROKEN)
def test_a_fix_without_a_value_or_a_key_is_in_words(broken: str, tmp_path: Path) -> None:
    for problem in stack_error(lambda: through_file(BROKEN[broken].settings(), tmp_path)).problems:
        if problem.key is None and problem.value is None:
            assert problem.advice()
        assert "pulumi" not in str(problem.advice())


@pytest.mark.parametrize("broken", BROKEN)
def test_no_command_removes_anything(broken: str, tmp_path: Path) -> None:
    text = str(stack_error(lambda: through_file(BROKEN[broken].settings(), tmp_path)))
    assert " rm " not in text
    assert "config rm" not in text
