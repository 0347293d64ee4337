"""The types of arguments in words, from their JSON Schema."""

from collections.abc import Mapping
from typing import Any, get_args

import pulumi
from pydantic.fields import FieldInfo

_MANY_CHOICES = 8
_INT32 = 2**31 - 1  # the bound of Kubernetes' own field: not worth a reader's attention


def type_of(schema: Mapping[str, Any], field: FieldInfo, links: Mapping[str, str]) -> str:
    """The type of an argument. ``links`` are the addresses of models by name."""
    kind = _type(schema, links)
    if not _has_output(field.annotation):
        return kind
    return f"{kind} or Outputs" if kind.startswith(("list", "map")) else f"{kind} or Output"


def _type(schema: Mapping[str, Any], links: Mapping[str, str]) -> str:
    if "anyOf" in schema and "enum" not in schema:
        choices = [choice for choice in schema["anyOf"] if choice.get("type") != "null"]
        if any(choice.get("type") == "number" for choice in choices):  # the other one is its text
            choices = choices[:1]
        return " or ".join(_type(choice, links) for choice in choices)
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{name}]({links[name]})"
    if "enum" in schema:
        *others, last = [f"`{choice}`" for choice in schema["enum"] if choice is not None]
        if len(others) > _MANY_CHOICES:
            return "one of the [presets](#presets)"
        return f"{', '.join(others)} or {last}"
    if schema.get("description", "").startswith("The name of one of"):
        return "name of a team" if "team" in schema["description"] else "name of a node pool"
    kind = schema.get("type")
    if kind == "array":
        least = ", at least one" if schema.get("minItems") else ""
        return f"list of {_plural(_type(schema['items'], links))}{least}"
    if kind == "object":
        values = schema.get("additionalProperties") or next(iter(schema.get("patternProperties", {}).values()))
        return f"map of {_plural(_type(values, links))}"
    if kind == ["string", "number"]:
        return "quantity"
    if kind in {"integer", "number"}:
        return f"{kind}{_bounds(schema)}"
    return str(kind)


def _bounds(schema: Mapping[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if high == _INT32:
        high = None
    if low is not None and high is not None:
        return f" from {low} to {high}"
    return "" if low is None else f", at least {low:g}"


def _plural(kind: str) -> str:
    """The plural of a type: quantities, lists of strings, integers from 1 to 255."""
    first, *rest = kind.split(" ")
    noun = {"quantity": "quantities"}.get(first, f"{first}s")
    return kind if first.startswith(("[", "`")) else " ".join([noun, *rest])


def _has_output(annotation: Any) -> bool:
    origin = getattr(annotation, "__origin__", annotation)
    return origin is pulumi.Output or any(_has_output(part) for part in get_args(annotation))
