"""Which version a rollback goes back to, of the history that Pulumi tells."""

import json
from typing import Any

import pytest

from operations.rollback import Update, choose, updates
from sandbox.layout import SandboxError


def entry(number: int, version: str, *, result: str = "succeeded", kind: str = "update", **more: Any) -> dict[str, Any]:
    """An entry of ``pulumi stack history --json``."""
    service = {"image": f"hub:5000/bert:{version}", "version": version, "replicas": number, **more}
    config = {"ml-platform:modelServices": {"value": json.dumps({"bert": service})}}
    return {"version": number, "kind": kind, "result": result, "startTime": "2026-01-01", "config": config}


def chosen(history: list[dict[str, Any]], to: str | None = None) -> int:
    return choose(updates(list(reversed(history)), "bert"), "bert", "prod", to).number


def test_the_last_version_that_ran_before_the_present_one() -> None:
    history = [entry(1, "v1"), entry(2, "v2"), entry(3, "v2")]
    assert chosen(history) == 1
    assert chosen([*history, entry(4, "v1")]) == 3


def test_a_version_that_never_came_up_is_passed_over() -> None:
    history = [entry(1, "v1"), entry(2, "v2", result="failed")]
    assert chosen(history) == 1
    assert chosen([*history, entry(3, "v3")]) == 1


def test_what_is_no_update_of_the_service_is_passed_over() -> None:
    other = {"version": 3, "kind": "update", "result": "succeeded", "startTime": "", "config": {}}
    assert chosen([entry(1, "v1"), entry(2, "v2", kind="destroy"), other, entry(4, "v3")]) == 1


@pytest.mark.parametrize("more", [{"model": {"source": {"image": "m:2"}}}, {"args": ["--fast"]}, {"env": {"A": "1"}}])
def test_the_same_image_with_another_model_or_arguments_is_another_version(more: dict[str, Any]) -> None:
    assert chosen([entry(1, "v1"), entry(2, "v1", **more)]) == 1


@pytest.mark.parametrize("name", ["v1", "hub:5000/bert:v1", "1"])
def test_a_version_by_name(name: str) -> None:
    assert chosen([entry(1, "v1"), entry(2, "v2"), entry(3, "v3")], to=name) == 1


def test_of_two_updates_of_one_name_the_later() -> None:
    assert chosen([entry(1, "v1"), entry(2, "v1", args=["--fast"]), entry(3, "v2")], to="v1") == 2


@pytest.mark.parametrize(
    ("history", "to", "message"),
    [
        ([], None, "stack prod was never brought up with bert"),
        ([entry(1, "v1")], None, r"no other version than v1 \(hub:5000/bert:v1\) ever ran"),
        ([entry(1, "v1"), entry(2, "v2")], "v9", r"'v9' never ran. TO= takes .* What ran: v2 .*, v1 "),
        ([entry(1, "v1", result="failed"), entry(2, "v2", result="failed")], None, "What ran: nothing"),
    ],
)
def test_there_is_nothing_to_go_back_to(history: list[dict[str, Any]], to: str | None, message: str) -> None:
    with pytest.raises(SandboxError, match=message):
        chosen(history, to)


def test_a_service_on_its_node_pools_image_has_no_name_but_its_update() -> None:
    update = Update(7, "", succeeded=True, service={"replicas": 1})
    assert update.called("7")
    assert not update.called("None")
    assert update.version == {}
