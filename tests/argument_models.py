"""The argument models that are nested in another one."""

from collections.abc import Iterator
from typing import Any, get_args

from components.base.arguments import Arguments

Model = type[Arguments]


def nested(model: Model) -> dict[Model, None]:
    """A model and all models that its arguments can hold, in the order of the arguments."""
    seen: dict[Model, None] = {}
    _add(model, seen)
    return seen


def _add(model: Model, seen: dict[Model, None]) -> None:
    if model not in seen:
        seen[model] = None
        for field in model.model_fields.values():
            for member in models(field.annotation):
                _add(member, seen)


def models(annotation: Any) -> Iterator[Model]:
    """The argument models in an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, Arguments):
        yield annotation
    for part in get_args(annotation):
        yield from models(part)
