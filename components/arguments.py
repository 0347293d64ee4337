"""What every argument model shares: how it is spelled, and how it says no.

Arguments are frozen pydantic models. Python spells them in snake_case, YAML in camelCase. Each is
defined once: the same model validates a stack's YAML, a Python caller's keyword and a remote
caller's input.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Annotated, Any, Self, TypeVar, cast, get_args

import pulumi
from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, ErrorDetails, InitErrorDetails, PydanticCustomError, core_schema

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


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with an argument: where, what, and how to mend it."""

    path: tuple[str | int, ...]
    what: str
    mend: str | None = None
    """A sentence that says how to mend it, where the message alone does not."""
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
            if problem.mend:
                lines.append(f"  {problem.mend}")
        super().__init__("\n".join(lines))


def refuse(what: str, mend: str | None = None, value: Any = None) -> PydanticCustomError:
    """An error for a validator to raise: what is wrong, how to mend it, a value that would do."""
    context = {"what": what, "mend": mend, "value": value}
    return PydanticCustomError("refused", "{what}", context)


def refuse_all(model: str, problems: Iterable[tuple[Sequence[str | int], PydanticCustomError]]) -> None:
    """Raise all problems of a cross-field check at once, each at its own path; none: return."""
    errors = [InitErrorDetails(type=error, loc=tuple(path), input=None) for path, error in problems]
    if errors:
        raise ValidationError.from_exception_data(model, errors)


def checked_name(component: str, name: str, kind: Any) -> str:
    """A component's own name where it becomes that of an object: refused as its arguments are."""
    try:
        TypeAdapter(kind).validate_python(name)
    except ValidationError as error:
        problems = [replace(problem, path=("name",)) for problem in problems_of(error)]
        raise ArgumentError(f"{component} {name!r}", problems) from None
    return name


def known_name(value: str, kind: str, names: Sequence[str] | None) -> None:
    """Refuse a reference to something that the stack does not have; ``names`` None: not known."""
    if names is not None and value not in names:
        near = get_close_matches(value, names, n=1, cutoff=0.0)
        what = f"there is no {kind} {value!r} (the stack has: {', '.join(sorted(names)) or 'none'})"
        raise refuse(what, None if near else f"add one, or remove this {kind}", value=near[0] if near else None)


def refuse_unless_one(rule: str, given: Sequence[str], mend: str) -> None:
    """Refuse arguments of which exactly one is to be given; ``given`` are the names of those that are."""
    if len(given) != 1:
        raise refuse(f"{rule}: it has {' and '.join(given) or 'none'}", mend)


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
        what, mend, value = context["what"], context["mend"], context["value"]
        if details["loc"][-1:] == ("[key]",) and value is not None:  # the name itself is wrong, not what it names
            mend, value = f"rename it, for example to {value}", None
        return Problem(path, what, mend, value)
    template = _MESSAGES.get(details["type"])
    what = template.format(**context) if template else _decapitalized(details["msg"])
    return Problem(path, what + _got(details, path), unknown_key=details["type"] == "extra_forbidden")


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
