"""Writes the reference of all arguments from the models that define them.

python -m docs.write_reference   write docs/reference/*.md

Names, types, choices and examples come from the models' JSON Schema, defaults from the models, what
an argument means and why it is what it is from the docstring below it. Nothing is said twice.
"""

import ast
import inspect
import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import pulumi
from pydantic.fields import FieldInfo

from components import ModelService, ModelServiceArgs, PriorityClasses, TeamNamespace, TrainingJob, TrainingJobArgs
from components.base.arguments import Arguments
from components.pod.presets import PRESETS
from components.priority_classes import PriorityClassArgs
from components.team_namespace.args import TeamNamespaceArgs
from components.workload.args import WorkloadArgs
from config import StackSettings
from config.settings import NodePoolSettings

FOLDER = Path(__file__).resolve().parent / "reference"

_INTRODUCTION = """\
# Arguments

Each argument is spelled here as a stack's YAML spells it. In Python the same argument is written in
snake case (`nodePool` is `node_pool`), and nested arguments are models or plain dicts alike. What
may be a `pulumi.Output` is marked so: it may exist only when the stack is deployed.

Names, types and defaults are read from the models themselves by `.venv/bin/python -m docs.write_reference`;
a test fails when these pages are not fresh.

"""


@dataclass(frozen=True)
class Page:
    """One page: a model with all that is nested in it, and the component that takes it."""

    file: str
    title: str
    model: type[Arguments]
    component: type[pulumi.ComponentResource] | None = None


PAGES = (
    Page("node-pool.md", "Node pools", NodePoolSettings),
    Page("team-namespace.md", "TeamNamespace", TeamNamespaceArgs, TeamNamespace),
    Page("training-job.md", "TrainingJob", TrainingJobArgs, TrainingJob),
    Page("model-service.md", "ModelService", ModelServiceArgs, ModelService),
    Page("priority-classes.md", "PriorityClasses", PriorityClassArgs, PriorityClasses),
)
_SHARED = "shared.md"


def pages() -> dict[str, str]:
    """File name → content of every page."""
    places = _places()
    content = {"index.md": _index()}
    for page in PAGES:
        nested = [model for model, file in places.items() if file == page.file and model is not page.model]
        parts = [
            f"# {page.title}\n",
            *_introduction(page),
            *(_component(page.component) if page.component else []),
            *(_presets() if page.model is NodePoolSettings else []),
            "## Arguments\n",
            *_arguments(page.model, page.file, places),
            *(part for model in nested for part in _nested(model, page.file, places)),
        ]
        content[page.file] = "\n".join(parts)
    shared = [model for model, file in places.items() if file == _SHARED]
    content[_SHARED] = "\n".join(
        [
            "# Shared by training jobs and model services\n",
            *(part for model in shared for part in _nested(model, _SHARED, places)),
        ]
    )
    return {file: text.rstrip() + "\n" for file, text in content.items()}


def _introduction(page: Page) -> list[str]:
    """What the model's docstring says beyond whose arguments they are."""
    text = _text(inspect.getdoc(page.model)).removeprefix(f"Arguments of a {page.title}.\n").lstrip("\n")
    return [text] if text else []


def _places() -> dict[type[Arguments], str]:
    """Every model → the page that it is explained on: that of its only user, or the shared one."""
    users: dict[type[Arguments], list[str]] = {}
    for page in PAGES:
        for model in with_nested(page.model):
            users.setdefault(model, []).append(page.file)
    return {model: files[0] if len(files) == 1 else _SHARED for model, files in users.items()}


def with_nested(model: type[Arguments], seen: set[type[Arguments]] | None = None) -> Iterator[type[Arguments]]:
    """A model and all that are nested in it, in the order of their arguments."""
    seen = set() if seen is None else seen
    if model in seen:
        return
    seen.add(model)
    yield model
    schema = model.model_json_schema(by_alias=True)["properties"]
    for name, field in model.model_fields.items():
        # What stands for a name in a stack (a team, a node pool) has a page of its own.
        if "$ref" in json.dumps(schema[str(field.alias or name)]):
            for nested in _models(field.annotation):
                yield from with_nested(nested, seen)


def _models(annotation: Any) -> Iterator[type[Arguments]]:
    if isinstance(annotation, type) and issubclass(annotation, Arguments):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _index() -> str:
    lines = [_INTRODUCTION, "## A stack\n"]
    files = {page.model: page for page in PAGES}
    for field in StackSettings.model_fields.values():
        (model,) = _models(field.annotation)
        page = files[model]
        lines.append(f"### `ml-platform:{field.alias}`\n")
        lines.append(f"{_text(field.description)}Arguments of each: [{page.title}]({page.file}).\n")
        lines.append(f"Example: {_value((field.examples or [None])[0])}\n")
    lines.append(f"[Parts that workloads share]({_SHARED}): resources, volumes, init containers, security.")
    return "\n".join(lines)


def _component(component: type[pulumi.ComponentResource]) -> list[str]:
    """What a component makes, and what it tells."""
    children = _text(inspect.getdoc(component))
    outputs = [f"- `{name}`: {_text(text).strip()}" for name, text in _attributes(component).items()]
    return ["## What it makes\n", children, "Attributes in Python:\n", *outputs, ""]


def _attributes(component: type) -> dict[str, str]:
    """The attributes of a class with the docstrings below them."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(component))).body
    found = {}
    for statement, after in pairwise(tree.body if isinstance(tree, ast.ClassDef) else []):
        match statement, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = inspect.cleandoc(text)
    return found


def _presets() -> list[str]:
    rows = [
        f"| `{name}` | `{label}: {value}` | `{_taint(preset['tolerations'][0])}` |"
        for name, preset in PRESETS.items()
        for label, value in preset["nodeSelector"].items()
    ]
    return ["## Presets\n", "| preset | node selector | tolerates |", "| --- | --- | --- |", *rows, ""]


def _taint(toleration: Mapping[str, str]) -> str:
    value = f"={toleration['value']}" if "value" in toleration else ""
    return f"{toleration['key']}{value}:{toleration['effect']}"


def _nested(model: type[Arguments], file: str, places: Mapping[type[Arguments], str]) -> list[str]:
    return [f"## Type: {model.__name__}\n", _text(inspect.getdoc(model)), *_arguments(model, file, places)]


def _arguments(model: type[Arguments], file: str, places: Mapping[type[Arguments], str]) -> list[str]:
    schema = model.model_json_schema(by_alias=True)
    links = {
        place.__name__: f"{'' if where == file else where}#type-{place.__name__.lower()}"
        for place, where in places.items()
    }
    lines = []
    for name, field in model.model_fields.items():
        alias = str(field.alias or name)
        kind = _type(schema["properties"][alias], links)
        facts = [f"Type: {_of_unit(kind, field)}{_deferred(kind, field)}", *_default(model, name, field)]
        if field.examples:
            facts.append(f"example: {_value(field.examples[0])}")
        lines += [f"### `{alias}`\n", f"{'; '.join(facts)}.\n", _text(field.description)]
    return lines


# Units, as the first sentence of a docstring names them; the first that is there counts.
_UNITS = ("seconds", "percent", "USD", "GPUs", "pods", "port")


def _of_unit(kind: str, field: FieldInfo) -> str:
    """A number with what it counts."""
    if not kind.startswith(("whole number", "number")):
        return kind
    words = re.findall(r"\w+", str(field.description).split(". ")[0].lower())
    unit = next((unit for unit in _UNITS if unit.lower() in words), None)
    return f"{kind} ({unit})" if unit else kind


def _deferred(kind: str, field: FieldInfo) -> str:
    if not _has_output(field.annotation):
        return ""
    several = kind.startswith(("list", "mapping"))
    return ", each of which may be a `pulumi.Output`" if several else ", or a `pulumi.Output` of it"


def _type(schema: Mapping[str, Any], links: Mapping[str, str]) -> str:
    """A type in words."""
    if "anyOf" in schema and "enum" not in schema:
        choices = [choice for choice in schema["anyOf"] if choice.get("type") != "null"]
        if any(choice.get("type") == "number" for choice in choices):  # and text that is one
            choices = choices[:1]
        return " or ".join(_type(choice, links) for choice in choices)
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{name}]({links[name]})"
    if "enum" in schema:
        return "one of " + ", ".join(f"`{choice}`" for choice in schema["enum"] if choice is not None)
    if schema.get("description", "").startswith("The name of one of"):
        what, model = ("team", "TeamNamespace") if "team" in schema["description"] else ("node pool", "NodePool")
        return f"name of a {what} of the stack, in Python the `{model}` itself"
    kind = schema.get("type")
    if kind == "array":
        least = " (at least one)" if schema.get("minItems") else ""
        return f"list of {_plural(_type(schema['items'], links))}{least}"
    if kind == "object":
        values = schema.get("additionalProperties") or next(iter(schema.get("patternProperties", {}).values()))
        return f"mapping of names to {_plural(_type(values, links)).replace('mapping', 'mappings', 1)}"
    if kind == ["string", "number"]:
        return "quantity"
    if kind in {"integer", "number"}:
        word = "whole number" if kind == "integer" else "number"
        return " ".join([word, *(f"{text} {int(schema[key])}" for key, text in _BOUNDS.items() if key in schema)])
    return {"string": "text", "boolean": "`true` or `false`"}[str(kind)]


_BOUNDS = {"minimum": "from", "maximum": "to"}


def _plural(kind: str) -> str:
    return {"text": "texts", "quantity": "quantities"}.get(kind, kind.replace("whole number", "whole numbers", 1))


def _has_output(annotation: Any) -> bool:
    origin = getattr(annotation, "__origin__", annotation)
    return origin is pulumi.Output or any(_has_output(part) for part in get_args(annotation))


def _default(model: type[Arguments], name: str, field: FieldInfo) -> list[str]:
    """What holds where the argument is not given; nothing where its docstring says it."""
    if field.is_required():
        return ["required"]
    value = field.get_default(call_default_factory=True)
    if name == "resources" and issubclass(model, WorkloadArgs):
        value = model.model_construct().default_resources()
    if isinstance(value, Arguments):
        given = value.model_dump(by_alias=True, exclude_defaults=True, mode="json")
        return [f"default: {_value(given)}" if given else "default: what its own arguments say"]
    if value in (None, [], {}, ""):
        return [] if "default:" in str(field.description).lower() else ["default: none"]
    return [f"default: {_value(value)}"]


def _value(value: Any) -> str:
    """A value as YAML has it, on one line."""
    return f"`{_yaml(value)}`"


def _yaml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_yaml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_yaml(item) for item in value) + "]"
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z/][\w./:-]*", value):
        return value
    return json.dumps(value)


def _text(docstring: str | None) -> str:
    """A docstring as Markdown."""
    return inspect.cleandoc(docstring or "").replace("``", "`") + "\n"


def main() -> None:
    """Write all pages."""
    FOLDER.mkdir(exist_ok=True)
    for file, content in pages().items():
        (FOLDER / file).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
