"""Arguments are in camelCase in the reference, in editors and in other languages, though docstrings use snake_case."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from config.schema import stack_file_schema
from docs.reference_models import files
from docs.write_reference import pages
from plugin.provider import COMPONENTS
from plugin.schema import schema

NAMES = {name for model in files() for name in model.model_fields if "_" in name}


def descriptions(value: Any) -> Iterator[str]:
    """All descriptions in a schema."""
    if isinstance(value, dict):
        if isinstance(value.get("description"), str):
            yield value["description"]
        for item in value.values():
            yield from descriptions(item)


TEXTS = {
    "Pulumi.schema.json": "\n".join(descriptions(stack_file_schema())),
    "package": "\n".join(descriptions(schema(COMPONENTS))),
    **{page: text for page, text in pages().items() if page != "index.md"},
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_arguments_are_in_camel_case(text: str) -> None:
    assert len(text) > 500
    words = {word for code in re.findall(r"`([^`]+)`", text) for word in re.findall(r"[a-z]+(?:_[a-z0-9]+)+", code)}
    assert words & NAMES == set()


def test_descriptions_have_no_double_backticks() -> None:
    for text in TEXTS.values():
        assert "``" not in text
