"""Kinds of errors and problems: templates, paths, and the text of an ArgumentError."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from pydantic import ValidationError

from components import ArgumentError
from components.base.errors import ErrorKind, Problem, property_path, raise_all
from components.base.validation import problems_of

KIND = ErrorKind("a-kind", "{name!r:'x'} is not one of {choices:a and b}", "{fix:choose one}")


def test_a_template_is_filled_with_the_values_of_an_error() -> None:
    problem = KIND.problem(("a", 0), name="c", choices=["a", "b"], fix="choose a", value="a")
    assert problem == Problem("a-kind", ("a", 0), "'c' is not one of a and b", "choose a", "a")


@pytest.mark.parametrize(
    ("choices", "text"),
    [([], "none"), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c"), (3, "3")],
)
def test_lists_are_written_as_an_enumeration(choices: object, text: str) -> None:
    assert KIND.problem((), name="x", choices=choices, fix="").message == f"'x' is not one of {text}"


def test_an_empty_fix_is_none() -> None:
    assert KIND.problem((), name="x", choices="y", fix="").fix is None
    assert ErrorKind("a", "b").problem(()).fix is None


def test_a_missing_value_of_a_template_is_an_error() -> None:
    with pytest.raises(KeyError):
        KIND.problem((), name="x")


def test_the_example_of_a_kind() -> None:
    assert KIND.example() == ("'x' is not one of a and b", "choose one")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("a", "b"), "a.b"),
        (("a", 0, "b"), "a[0].b"),
        (("quota", "requests.nvidia.com/gpu"), 'quota["requests.nvidia.com/gpu"]'),
        (("a", ""), 'a[""]'),
        (("a", 'b".c'), r'a["b\".c"]'),
        (("a", "b\\.c"), r'a["b\\.c"]'),
    ],
)
def test_property_paths(path: Iterable[str | int], text: str) -> None:
    assert property_path(path) == text


def test_the_advice_is_the_key_to_write_or_the_fix() -> None:
    problem = Problem("a-kind", (), "is wrong", fix="fix it")
    assert problem.advice() == "fix it"
    assert "'right'" in str(replace(problem, key="right").advice())
    assert replace(problem, fix=None, value=1).advice() is None


def test_the_text_of_an_argument_error() -> None:
    problem = Problem("a-kind", ("a", "b"), "is wrong")
    error = ArgumentError("Args", [problem, replace(problem, fix="fix it"), replace(problem, value=1)])
    assert str(error).splitlines() == [
        "Args.a.b: is wrong [a-kind]",
        "Args.a.b: is wrong [a-kind]",
        "  fix it",
        "Args.a.b: is wrong [a-kind]",
        "  for example 1",
    ]
    assert [each.path for each in error.problems] == [("a", "b")] * 3


def test_problems_are_raised_together_at_their_paths() -> None:
    raise_all("Args", [])
    with pytest.raises(ValidationError) as error:
        raise_all("Args", [(("a",), KIND(name="x", choices="y", fix="")), ((), KIND(name="z", choices="y", fix=""))])
    assert [(problem.code, problem.path) for problem in problems_of(error.value)] == [
        ("a-kind", ("a",)),
        ("a-kind", ()),
    ]
