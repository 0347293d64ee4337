"""The arguments of a model: a table of all of them, and a section for each."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic.fields import FieldInfo

from components.base.arguments import MUTABILITY, Arguments
from components.base.docstrings import markdown
from components.workload.args import WorkloadArgs
from docs.reference_types import type_of

# What a change does to a service and to a job, in the order of the sentences with which docstrings end.
_ON_CHANGE = dict(
    zip(
        MUTABILITY,
        (
            ("in place", "in place"),
            ("rolls the pods", "rolls the pods"),
            ("new run", "new run"),
            ("replaces", "replaces"),
            ("rolls the pods", "new run"),
            ("replaces", "new run"),
        ),
        strict=True,
    )
)
_WORKLOADS = {"model-service.md": 0, "training-job.md": 1}
"""The pages of one workload, and the statement in ``_ON_CHANGE`` that applies to it."""

# Longer defaults are stated in the section of the argument only, so that its row fits on a screen.
_LONGEST_DEFAULT = 80


@dataclass(frozen=True)
class Argument:
    """What the reference states about an argument."""

    name: str
    type: str
    default: str
    on_change: str
    example: str
    text: str

    def row(self, *, linked: bool) -> str:
        """Its row in the table of all arguments."""
        name = f"[`{self.name}`](#{self.name.lower()})" if linked else f"`{self.name}`"
        default = self.default if len(self.default) <= _LONGEST_DEFAULT else "see below"
        cells = (name, self.type, default, self.on_change)
        return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"

    def section(self) -> list[str]:
        """Its section: the facts on one line, then the text."""
        default = "Required" if self.default == "required" else f"Default: {self.default}"
        facts = [f"Type: {self.type}", default]
        facts += [
            f"{fact}: {text}" for fact, text in (("On change", self.on_change), ("Example", self.example)) if text
        ]
        line = " ".join(f"{fact}." for fact in facts)
        return [f"### `{self.name}`\n", f"{line}\n", f"{self.text}\n"]


def table(arguments: list[Argument], *, linked: bool) -> list[str]:
    """All arguments of a model at a glance."""
    rows = [argument.row(linked=linked) for argument in arguments]
    return ["| argument | type | default | on change |", "| --- | --- | --- | --- |", *rows, ""]


def arguments_of(model: type[Arguments], page: str, links: Mapping[str, str]) -> Iterator[Argument]:
    """The arguments of a model on a page, in their order. ``links`` are the addresses of models by name.

    A statement in the docstring of the model about changes holds for every argument that does not make its own.
    """
    schema = model.model_json_schema(by_alias=True)["properties"]
    _, of_all = split_mutability(markdown(model.__doc__))
    for name, field in model.model_fields.items():
        alias = str(field.alias or name)
        text, sentence = split_mutability(markdown(field.description))
        default = _default_value(model, name, field)
        if default is None:
            text, default = _without_default(text)
        yield Argument(
            alias,
            _with_unit(type_of(schema[alias], field, links), alias, text),
            default,
            _on_change(sentence or of_all, page),
            _value(field.examples[0]) if field.examples else "",
            text,
        )


def split_mutability(text: str) -> tuple[str, str]:
    """A text without its last sentence, if that states what a change does, and that sentence."""
    sentence = next((sentence for sentence in MUTABILITY if text.endswith(sentence)), "")
    return text.removesuffix(sentence).rstrip(), sentence


def _on_change(sentence: str, page: str) -> str:
    """What a change does, in few words. A page that describes both workloads states it for each of them."""
    if not sentence:
        return ""
    service, job = _ON_CHANGE[sentence]
    if page in _WORKLOADS or service == job:
        return (service, job)[_WORKLOADS.get(page, 0)]
    return f"{service} (service), {job} (job)"


# Units that the first sentence of a docstring names; the first of these that occurs counts.
_UNITS = ("percent", "USD", "GPUs", "pods")


def _with_unit(kind: str, name: str, text: str) -> str:
    """The type of a number with its unit."""
    if not kind.startswith(("integer", "number")):
        return kind
    words = re.findall(r"\w+", text.split(". ")[0].lower())
    unit = "seconds" if name.endswith("Seconds") else next((unit for unit in _UNITS if unit.lower() in words), None)
    return f"{kind} ({unit})" if unit else kind


_STATED_DEFAULT = re.compile(r"(\s*)(; default: |Default: |Defaults? to )(.+?)\.(?=\s|$)(\s*)", re.DOTALL)


def _without_default(text: str) -> tuple[str, str]:
    """A text without the default that it states, and that default."""
    found = _STATED_DEFAULT.search(text)
    if found is None:
        return text, "none"
    before, lead, default, after = found.groups()
    gap = f".{after}" if lead.startswith(";") else max(before, after, key=lambda space: space.count("\n"))
    return (text[: found.start()] + gap + text[found.end() :]).strip(), " ".join(default.split())


def _default_value(model: type[Arguments], name: str, field: FieldInfo) -> str | None:
    """The value that applies if the argument is not set; None if there is none, or only its docstring states it."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if name == "resources" and issubclass(model, WorkloadArgs):
        value = model.model_construct().default_resources()
    if isinstance(value, Arguments):
        value = value.model_dump(by_alias=True, exclude_defaults=True, mode="json") or "its own defaults"
        return value if isinstance(value, str) else _value(value)
    return None if value in (None, [], {}, "") else _value(value)


def _value(value: Any) -> str:
    """A value as YAML, on one line."""
    return f"`{_yaml(value)}`"


def _yaml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_yaml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_yaml(item) for item in value) + "]"
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z/][\w./:-]*", value):
        return value
    return json.dumps(value)
