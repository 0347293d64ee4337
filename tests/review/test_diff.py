"""The fields of an object that change."""

from typing import Any

from review.diff import FieldChange, field_changes
from review.preview import UNKNOWN_TEXT


def test_a_field_that_is_added_changed_or_removed() -> None:
    assert field_changes({"a": 1, "b": [1]}, {"a": 2, "c": "x"}) == [
        FieldChange("a", "1", "2"),
        FieldChange("b", "[1]", None),
        FieldChange("c", None, "x"),
    ]


def test_items_are_matched_by_name() -> None:
    one = {"containers": [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}]}
    other = {
        "containers": [{"name": "new", "image": "n:1"}, {"name": "a", "image": "a:2"}, {"name": "b", "image": "b:1"}]
    }
    assert field_changes(one, other) == [
        FieldChange("containers[a].image", "a:1", "a:2"),
        FieldChange("containers[new]", None, '{"image": "n:1"}'),
    ]


def test_a_secret_that_changes_is_listed_without_its_values() -> None:
    one, other = ({"env": [{"name": "API_KEY", "value": value}]} for value in ("swordfish", "shark"))
    assert field_changes(one, other) == [FieldChange("env[API_KEY].value", "[secret]", "[secret]")]


def test_the_fields_of_a_secret_value_are_not_listed() -> None:
    one, other = ({"kind": "Secret", "data": {"a": {"b": value}}} for value in ("swordfish", "shark"))
    assert field_changes(one, other) == [FieldChange("data.a.b", "[secret]", "[secret]")]


def test_an_item_whose_name_looks_like_a_token() -> None:
    one, other = ({"containers": [{"name": "sk-preprocess", "image": image}]} for image in ("a:1", "a:2"))
    assert field_changes(one, other) == [FieldChange("containers[sk-preprocess].image", "a:1", "a:2")]


def test_a_long_value_is_abbreviated() -> None:
    (change,) = field_changes({"a": "x" * 200}, {"a": "y"})
    assert change == FieldChange("a", "x" * 120 + "…", "y")


def test_an_unknown_value() -> None:
    before: dict[str, Any] = {"a": 1}
    (change,) = field_changes(before, {"a": UNKNOWN_TEXT})
    assert change.after is not None
    assert UNKNOWN_TEXT not in change.after
