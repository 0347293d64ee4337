"""The JSON Schema of a stack's file, generated from the models.

``python -m config schema`` writes it to Pulumi.schema.json, with which editors complete and validate
``Pulumi.<stack>.yaml``. Error messages use its examples.
"""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from components.base.docstrings import markdown
from config.settings import StackSettings

FILE = Path(__file__).resolve().parent.parent / "Pulumi.schema.json"


class Schema:
    """The schema of the settings, looked up by the path of a value."""

    @cached_property
    def _root(self) -> dict[str, Any]:
        return StackSettings.model_json_schema(by_alias=True)

    def keys(self, path: Sequence[str | int]) -> set[str]:
        """The known keys of the mapping at a path; empty if its keys are free."""
        return set(self._at(path).get("properties", {}))

    def example(self, path: Sequence[str | int]) -> Any:
        """A valid value for a path; None if the schema has none."""
        schema = self._at(path)
        if schema.get("examples"):
            return schema["examples"][0]
        for key in ("default", "const", "minimum"):
            if isinstance(schema.get(key), bool | int | float | str):
                return schema[key]
        return next(iter(schema.get("enum", [])), None)

    def _at(self, path: Sequence[str | int]) -> dict[str, Any]:
        schema = self._root
        for segment in path:
            schema = self._resolved(schema)
            if isinstance(segment, int):
                schema = schema.get("items", {})
            else:
                schema = schema.get("properties", {}).get(segment) or _values(schema)
        return {**self._resolved(schema), **{key: schema[key] for key in ("examples", "default") if key in schema}}

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        while True:
            if "$ref" in schema:
                schema = self._root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
            elif "anyOf" in schema:  # an optional value: the alternative is null
                schema = next((choice for choice in schema["anyOf"] if choice.get("type") != "null"), {})
            else:
                return schema


def _values(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of the values of a mapping whose keys are free."""
    values = schema.get("additionalProperties")
    patterns = schema.get("patternProperties", {})
    return values if isinstance(values, dict) else next(iter(patterns.values()), {})


def _described(value: Any) -> Any:
    """A schema with its descriptions in Markdown, and the names of arguments in them spelled as in YAML."""
    if isinstance(value, list):
        return [_described(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: markdown(item) if key == "description" and isinstance(item, str) else _described(item)
        for key, item in value.items()
    }


def stack_file_schema() -> dict[str, Any]:
    """The JSON Schema of ``Pulumi.<stack>.yaml``."""
    settings = _described(StackSettings.model_json_schema(by_alias=True))
    definitions = settings.pop("$defs")
    sections = {f"ml-platform:{key}": value for key, value in settings["properties"].items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A stack of ml-platform",
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                "properties": sections,
                # The keys of other namespaces, such as the Kubernetes provider's, are not validated here.
                "patternProperties": {"^(?!ml-platform:)": True},
                "additionalProperties": False,
            }
        },
        "$defs": definitions,
    }


def render() -> str:
    """The content of Pulumi.schema.json."""
    return json.dumps(stack_file_schema(), indent=2, ensure_ascii=False) + "\n"
