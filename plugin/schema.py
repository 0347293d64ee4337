"""The package's schema, generated from the argument models: each argument is defined once.

Arguments that a model accepts as plain values only, since a computation or a decision depends on them,
are plain in the schema too: they cannot be outputs of other resources.
"""

import inspect
import types
from collections.abc import Awaitable, Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pulumi
from pydantic.alias_generators import to_camel, to_pascal
from pydantic.fields import FieldInfo

from components import VERSION, TeamNamespace
from components.base.arguments import Arguments
from components.base.docstrings import attribute_docs, markdown

PACKAGE = "ml-platform"

Spec = dict[str, Any]

_SCALARS: dict[type, str] = {str: "string", bool: "boolean", int: "integer", float: "number", Decimal: "number"}


def schema(components: Mapping[type[pulumi.ComponentResource], type[Arguments]]) -> Spec:
    """The Pulumi package schema of components and their arguments."""
    package = _Package()
    resources = {token(component): package.component(component, args) for component, args in components.items()}
    return {
        "name": PACKAGE,
        "version": VERSION,
        "displayName": "ML platform",
        "description": "ML workloads on Kubernetes: training jobs, model services and team namespaces.",
        "language": {key: {"respectSchemaVersion": True} for key in ("csharp", "go", "java", "nodejs", "python")},
        "types": dict(sorted(package.types.items())),
        "resources": resources,
    }


def token(component: type[pulumi.ComponentResource]) -> str:
    """A component's type token."""
    return f"{PACKAGE}:index:{component.__name__}"


def outputs(component: type[pulumi.ComponentResource]) -> dict[str, str]:
    """The output attributes of a component: their names in Python and in the schema."""
    return {name: to_camel(name) for name in _outputs(component)}


def _outputs(component: type) -> dict[str, Any]:
    """A component's own output attributes, and the types of their values."""
    hints = inspect.get_annotations(component)
    return {name: get_args(hint)[0] for name, hint in hints.items() if _is_output(hint)}


class _Package:
    def __init__(self) -> None:
        self.types: dict[str, Spec] = {}

    def component(self, component: type[pulumi.ComponentResource], args: type[Arguments]) -> Spec:
        descriptions, outputs = attribute_docs(component), _outputs(component)
        inputs = self._object(args)
        return {
            "description": markdown(component.__doc__),
            "isComponent": True,
            "inputProperties": inputs["properties"],
            "requiredInputs": inputs["required"],
            "properties": {
                to_camel(name): {**self._type(annotation, ""), "description": markdown(descriptions[name])}
                for name, annotation in outputs.items()
            },
            "required": [
                to_camel(name) for name, annotation in outputs.items() if type(None) not in _members(annotation)
            ],
        }

    def _object(self, model: type[Arguments]) -> Spec:
        fields = model.model_fields
        return {
            "type": "object",
            "properties": {str(field.alias): self._property(model, name) for name, field in fields.items()},
            "required": [str(field.alias) for field in fields.values() if field.is_required()],
        }

    def _property(self, model: type[Arguments], name: str) -> Spec:
        field = model.model_fields[name]
        # An inherited argument has the same type in all models that inherit it.
        owner = next(base for base in model.__mro__ if name in inspect.get_annotations(base))
        spec = self._type(_annotation(field), f"{_type_name(owner)}{to_pascal(name)}")
        return {
            **spec,
            **({} if _takes_outputs(_annotation(field)) else {"plain": True}),
            "description": _description(field),
        }

    def _type(self, annotation: Any, name: str) -> Spec:
        """The schema of a type. ``name`` is the name of the enumeration if it is one."""
        choices = _choices(annotation)
        if TeamNamespace in choices:
            return {"$ref": f"#/resources/{token(TeamNamespace)}"}
        if len(choices) > 1:
            return {"oneOf": [self._type(choice, name) for choice in choices]}
        (annotation,) = choices
        origin, parameters = get_origin(annotation), get_args(annotation)
        if origin is Literal:
            return self._named(name, {"type": "string", "enum": [{"value": value} for value in parameters]})
        if origin is dict:
            return {"type": "object", "additionalProperties": self._type(parameters[1], name)}
        if origin is list:
            return {"type": "array", "items": self._type(parameters[0], name)}
        if annotation in _SCALARS:
            return {"type": _SCALARS[annotation]}
        if isinstance(annotation, type) and issubclass(annotation, Arguments):
            spec = {**self._object(annotation), "description": markdown(annotation.__doc__)}
            return self._named(_type_name(annotation), spec)
        raise TypeError(f"{name}: no Pulumi schema for {annotation}")

    def _named(self, name: str, spec: Spec) -> Spec:
        if self.types.setdefault(f"{PACKAGE}:index:{name}", spec) != spec:
            raise TypeError(f"two types have the name {name}")
        return {"$ref": f"#/types/{PACKAGE}:index:{name}"}


def _annotation(field: FieldInfo) -> Any:
    """A field's annotation as written: pydantic separates the outermost Annotated from its metadata."""
    return Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation


def _members(annotation: Any) -> tuple[Any, ...]:
    """The members of a union, without the Annotated around it; any other type as its only member."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in {Union, types.UnionType}:
        return tuple(member for choice in get_args(annotation) for member in _members(choice))
    return (annotation,)


def _choices(annotation: Any) -> list[Any]:
    """The types of a value, without None and outputs, which the schema expresses differently."""
    return [member for member in _members(annotation) if member is not type(None) and not _is_output(member)]


def _is_output(annotation: Any) -> bool:
    return get_origin(annotation) in {pulumi.Output, Awaitable}


def _takes_outputs(annotation: Any) -> bool:
    """Whether a value, or part of it, can be the output of another resource."""
    for member in _members(annotation):
        if _is_output(member) or member is TeamNamespace:
            return True
        if isinstance(member, type) and issubclass(member, Arguments):
            if any(_takes_outputs(_annotation(field)) for field in member.model_fields.values()):
                return True
        elif any(_takes_outputs(parameter) for parameter in get_args(member)):
            return True
    return False


def _type_name(model: type) -> str:
    return model.__name__.removesuffix("Args")


def _description(field: FieldInfo) -> str:
    """The description of an argument, with its default unless the text states one."""
    text = markdown(field.description)
    default = field.get_default()
    if isinstance(default, bool | int | str) and default != "" and "default:" not in text.lower():
        value = str(default).lower() if isinstance(default, bool) else str(default)
        gap = "\n\n" if "\n" in text else " "
        text = f"{text}{gap}Default: `{value}`."
    return text
