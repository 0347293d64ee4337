"""Docstrings of arguments as text for users: in the reference, in editors, and in other languages.

A docstring spells arguments as Python does, ``snake_case`` in double backticks. Everywhere else they are camelCase.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from itertools import pairwise

from pydantic.alias_generators import to_camel

from .arguments import Arguments

_CODE = re.compile(r"`+([^`]+)`+")
_SNAKE_CASE = re.compile(r"\b[a-z][a-z0-9]*(?:_[a-z0-9]+)+\b")


def markdown(docstring: str | None) -> str:
    """A docstring as Markdown, with the names of arguments in camelCase."""
    names = set(_names(Arguments))

    def spelled(word: re.Match[str]) -> str:
        return to_camel(word[0]) if word[0] in names else word[0]

    def code(span: re.Match[str]) -> str:
        return f"`{_SNAKE_CASE.sub(spelled, span[1])}`"

    return _CODE.sub(code, inspect.cleandoc(docstring or ""))


def attribute_docs(component: type) -> dict[str, str]:
    """The docstrings below the attributes of a class, by the name of the attribute."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(component))).body
    found = {}
    for statement, after in pairwise(definition.body if isinstance(definition, ast.ClassDef) else []):
        match statement, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = text
    return found


def _names(model: type[Arguments]) -> Iterator[str]:
    """The names of the arguments of a model and of all that derive from it."""
    yield from model.model_fields
    for derived in model.__subclasses__():
        yield from _names(derived)
