"""Structural differences between two values."""

from typing import Any

import pytest

from components.base.diff import ABSENT, Difference, differences

A1, A2, B = {"name": "a", "image": "a:1"}, {"name": "a", "image": "a:2"}, {"name": "b", "image": "b:1"}


def paths(before: Any, after: Any, **options: Any) -> list[str]:
    return [difference.path for difference in differences(before, after, **options)]


def test_equal_values_have_no_differences() -> None:
    assert paths({"a": [A1, {"b": [1, 2]}]}, {"a": [A1, {"b": [1, 2]}]}) == []


@pytest.mark.parametrize(
    ("before", "after", "path"),
    [
        ({"spec": {"replicas": 1}}, {"spec": {"replicas": 2}}, "spec.replicas"),
        ({"spec": {"replicas": 1}}, {"spec": {}}, "spec.replicas"),
        ({"spec": {}}, {"spec": {"template": {"a": 1}}}, "spec.template"),
        ({"spec": {"a": 1}}, {"spec": [1]}, "spec"),
    ],
)
def test_the_deepest_field_that_differs_is_reported(before: Any, after: Any, path: str) -> None:
    assert paths(before, after) == [path]


def test_null_equals_absent() -> None:
    assert paths({"a": None}, {}) == paths({}, {"a": None}) == []


def test_named_items_are_matched_by_name() -> None:
    before, after = {"containers": [A1, B]}, {"containers": [{"name": "new"}, A2, B]}
    assert list(differences(before, after)) == [
        Difference("containers[a].image", "a:1", "a:2", ("containers", 0, "image"), ("containers", 1, "image")),
        Difference("containers[new]", ABSENT, {"name": "new"}, ("containers",), ("containers", 0)),
    ]


@pytest.mark.parametrize("items", [[A1, A1], [A1, {"image": "b"}], [A1, "b"], ["a"]])
def test_items_without_distinct_names_are_one_value(items: list[Any]) -> None:
    assert paths({"items": items}, {"items": [B]}) == ["items"]


def test_items_without_distinct_names_are_compared_by_index_on_request() -> None:
    assert paths({"command": ["a", "b"]}, {"command": ["a", "c", "d"]}, by_index=True) == ["command[1]", "command[2]"]
    assert paths({"env": [A1, A1]}, {"env": [A1, A2]}, by_index=True) == ["env[1].image"]


def test_the_order_of_named_items_counts_on_request() -> None:
    before, after = {"init": [A1, B]}, {"init": [B, A1]}
    assert paths(before, after) == []
    assert paths(before, after, by_index=True) == ["init"]


def test_ignored_values_equal_all_others() -> None:
    before, after = {"a": 1, "b": "?", "c": {"d": 1}}, {"a": "?", "b": 2, "c": "?"}
    assert paths(before, after, ignore=lambda value: value == "?") == []
