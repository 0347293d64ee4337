"""Helpers over plain manifests."""

from collections.abc import Callable
from typing import Any

import pytest

from components.base.objects import (
    UNKNOWN,
    UnknownValueError,
    containers,
    int_or_percent,
    known_namespace_of,
    namespace_of,
    pod_templates,
    selects,
    target,
)


@pytest.mark.parametrize(
    "operation",
    [
        bool, str, int, len, iter, hash, lambda value: value == 1, lambda value: value + 1, lambda value: value < 1,
        lambda value: value["key"], lambda value: value.get("key"), lambda value: "key" in value, lambda value: f"{value}",
    ],
)  # fmt: skip
def test_every_operation_on_an_unknown_value_raises(operation: Callable[[Any], Any]) -> None:
    with pytest.raises(UnknownValueError):
        operation(UNKNOWN)
    assert repr(UNKNOWN) == "UNKNOWN"


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"name": "bert", "namespace": "ml"}, "Deployment ml/bert"),
        ({"name": "bert"}, "Deployment bert"),
        ({"name": "bert", "namespace": UNKNOWN}, "Deployment bert"),
        ({"name": UNKNOWN}, "Deployment (name not known yet)"),
    ],
)
def test_target(metadata: dict[str, Any], expected: str) -> None:
    assert target({"kind": "Deployment", "metadata": metadata}) == expected


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("Deployment", {"spec": {"template": {"spec": 1}}}),
        ("CronJob", {"spec": {"jobTemplate": {"spec": {"template": {"spec": 1}}}}}),
        ("JobSet", {"spec": {"replicatedJobs": [{"template": {"spec": {"template": {"spec": 1}}}}]}}),
    ],
)
def test_pod_templates(kind: str, body: dict[str, Any]) -> None:
    assert pod_templates({"kind": kind, **body}) == [{"spec": 1}]


def test_a_pod_is_its_own_template_and_other_kinds_have_none() -> None:
    pod = {"kind": "Pod", "spec": 1}
    assert pod_templates(pod) == [pod]
    assert pod_templates({"kind": "Service", "spec": {}}) == []


def test_init_containers_come_first() -> None:
    assert containers({"containers": [{"name": "b"}], "initContainers": [{"name": "a"}]}) == [
        {"name": "a"},
        {"name": "b"},
    ]


@pytest.mark.parametrize(
    ("metadata", "expected"), [({"namespace": "ml"}, "ml"), ({}, "default"), ({"namespace": ""}, "default")]
)
def test_namespace_of(metadata: dict[str, Any], expected: str) -> None:
    assert namespace_of({"metadata": metadata}) == known_namespace_of({"metadata": metadata}) == expected


def test_an_unknown_namespace() -> None:
    elsewhere = {"metadata": {"namespace": UNKNOWN}}
    assert known_namespace_of(elsewhere) is None
    with pytest.raises(UnknownValueError):
        namespace_of(elsewhere)


@pytest.mark.parametrize(
    ("value", "round_up", "expected"),
    [
        (2, True, 2), ("2", False, 2), ("25%", True, 1), ("25%", False, 0), ("100%", False, 3), ("99%", False, 2),
        ("34%", True, 2), ("0%", True, 0),
    ],
)  # fmt: skip
def test_int_or_percent_of_three(value: int | str, round_up: bool, expected: int) -> None:
    assert int_or_percent(value, 3, round_up=round_up) == expected


def test_int_or_percent_of_an_unknown_or_invalid_value() -> None:
    with pytest.raises(UnknownValueError):
        int_or_percent(UNKNOWN, 3, round_up=True)
    for invalid in ("many", "-5%", "2.5%"):
        with pytest.raises(ValueError, match="invalid literal"):
            int_or_percent(invalid, 3, round_up=True)


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        ({"app": "bert"}, True),
        ({"app": "other"}, False),
        ({"matchLabels": {"app": "bert"}}, True),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["bert"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["bert"]}]}, False),
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, True),
        ({"matchLabels": {"app": "bert"}, "matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, False),
        ({}, True),
    ],
)
def test_selects(selector: dict[str, Any], matches: bool) -> None:
    assert selects(selector, {"app": "bert"}) is matches
