"""The base of all argument models, and values that exist at deployment time only.

Arguments are frozen pydantic models. Python spells them in snake_case, YAML in camelCase. Each is
defined once: the same model validates a stack's YAML, a Python caller's keyword and a remote
caller's input.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Annotated, Any, Self, TypeVar, cast, get_args

import pulumi
from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, core_schema

from .error_table import EXACTLY_ONE, NOT_FOUND
from .errors import ArgumentError
from .validation import problems_of

T = TypeVar("T")


class Arguments(BaseModel):
    """The base of all argument models: frozen, no unknown keys, errors that a user can act on."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        validate_default=False,
        arbitrary_types_allowed=True,
        # A value may be a secret that somebody put in the wrong place: never print it by default.
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    def __init__(self, /, **data: Any) -> None:
        try:
            super().__init__(**data)
        except ValidationError as error:
            problems = [replace(problem, path=_in_python(type(self), problem.path)) for problem in problems_of(error)]
            raise ArgumentError(type(self).__name__, problems) from None

    @classmethod
    def of(cls, args: Self | Mapping[str, Any]) -> Self:
        """Arguments as they are, or made of a plain mapping with the same keys."""
        return args if isinstance(args, cls) else cls(**cast(Mapping[str, Any], args))

    # Nested models are validated by pydantic's core, which must not take the wrapper above for a
    # constructor of ours: it would lose the path to the nested value.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]


def checked_name(component: str, name: str, kind: Any) -> str:
    """Validate the name of a component, which becomes that of an object, as an argument."""
    try:
        TypeAdapter(kind).validate_python(name)
    except ValidationError as error:
        problems = [replace(problem, path=("name",)) for problem in problems_of(error)]
        raise ArgumentError(f"{component} {name!r}", problems) from None
    return name


def check_reference(value: str, kind: str, names: Sequence[str] | None) -> None:
    """Raise an error unless a stack has what a name refers to. ``names``: those of the stack; None: not known."""
    if names is not None and value not in names:
        near = get_close_matches(value, names, n=1, cutoff=0.0)
        fix = "" if near else f"add the {kind} to the stack"
        raise NOT_FOUND(kind=kind, name=value, known=sorted(names), fix=fix, value=near[0] if near else None)


def check_exactly_one(given: Sequence[str], options: Sequence[str]) -> None:
    """Raise an error unless exactly one of some arguments is given."""
    if len(given) != 1:
        raise EXACTLY_ONE(options=options, given=given)


def _in_python(model: Any, path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """A path with the names of arguments as Python spells them."""
    spelled = []
    for segment in path:
        fields = model.model_fields if _is_model(model) else {}
        name = next((name for name, field in fields.items() if segment == field.alias), segment)
        spelled.append(name)
        if name in fields:
            model = _without_none(fields[name].annotation)
        else:  # a key of the user's own, or the number of an item: the type of the values follows
            model = None if _is_model(model) else next(iter(get_args(model)[-1:]), None)
    return tuple(spelled)


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Arguments)


def _without_none(annotation: Any) -> Any:
    """The model of an argument that may be left out; any other type as it is."""
    choices = get_args(annotation)
    return next(filter(_is_model, choices), annotation) if type(None) in choices else annotation


class _InputSchema:
    """Accept a ``pulumi.Output`` as it is, and anything else as the plain type says."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        plain = handler.generate_schema(get_args(source)[0])

        def validate(value: Any, validate_plain: Callable[[Any], Any]) -> Any:
            return value if isinstance(value, pulumi.Output) else validate_plain(value)

        return core_schema.no_info_wrap_validator_function(validate, plain)


# pulumi.Input[T], spelled out: its own forward reference to Output cannot be resolved from here.
Deferred = Annotated[T | Awaitable[T] | pulumi.Output[T], _InputSchema()]
"""A value that may only exist at deployment time: T, or a ``pulumi.Output`` of it."""
