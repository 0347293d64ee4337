from typing import Annotated, Literal

import pytest
from pydantic import Field

from components.base.arguments import Arguments, Deferred
from components.base.quantities import Quantity
from components.pod.volumes import Volume
from components.workload.args import WorkloadArgs
from docs.reference_types import type_of


class Every(Arguments):
    text: str = ""
    optional: str | None = None
    flag: bool = False
    count: Annotated[int, Field(ge=0, le=64)] = 0
    pods: Annotated[int, Field(ge=1, le=2**31 - 1)] = 1
    factor: Annotated[float, Field(ge=0.5)] = 1
    size: Quantity = "1"
    mode: Literal["a", "b", "c"] = "a"
    many: Literal["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"] = "1"
    items: list[str] = []
    filled: Annotated[list[str], Field(min_length=1)] = ["a"]
    codes: list[Annotated[int, Field(ge=1, le=255)]] = []
    quantities: dict[str, Quantity] = {}
    nested: Volume | None = None
    volumes: dict[str, Volume] = {}
    deferred: Deferred[str] = ""
    values: dict[str, Deferred[str]] = {}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("text", "string"),
        ("optional", "string"),
        ("flag", "boolean"),
        ("count", "integer from 0 to 64"),
        ("pods", "integer, at least 1"),
        ("factor", "number, at least 0.5"),
        ("size", "quantity"),
        ("mode", "`a`, `b` or `c`"),
        ("many", "one of the [presets](#presets)"),
        ("items", "list of strings"),
        ("filled", "list of strings, at least one"),
        ("codes", "list of integers from 1 to 255"),
        ("quantities", "map of quantities"),
        ("nested", "[Volume](#volume)"),
        ("volumes", "map of [Volume](#volume)"),
        ("deferred", "string or Output"),
        ("values", "map of strings or Outputs"),
    ],
)
def test_types_in_words(name: str, words: str) -> None:
    schema = Every.model_json_schema(by_alias=True)["properties"][name]
    assert type_of(schema, Every.model_fields[name], {"Volume": "#volume"}) == words


@pytest.mark.parametrize(("name", "words"), [("team", "name of a team"), ("nodePool", "name of a node pool")])
def test_references_by_name(name: str, words: str) -> None:
    schema = WorkloadArgs.model_json_schema(by_alias=True)["properties"][name]
    assert type_of(schema, WorkloadArgs.model_fields["team" if name == "team" else "node_pool"], {}) == words
