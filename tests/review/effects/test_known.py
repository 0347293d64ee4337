"""Values that are null, or unknown before deployment."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from components.base.objects import UNKNOWN, Manifest
from review.effects import check
from review.effects.known import known
from tests.review.effects.objects import container, deployment, made, policy, service
from tests.review.proposals import HARMLESS, base

IMAGE = deployment(containers=[container(image="x"), {"name": "d", "image": UNKNOWN}])


def test_details_of_a_workload_may_be_unknown() -> None:
    (certain,), uncertain = known([IMAGE])
    assert uncertain == []
    assert certain["spec"]["template"]["spec"]["containers"][1] == {"name": "d"}


@pytest.mark.parametrize(
    "manifest",
    [
        deployment(labels={"app": UNKNOWN}),
        {**deployment(), "spec": UNKNOWN},
        service(selector={"app": UNKNOWN}),
        service(ports=[{"port": UNKNOWN}]),
        policy("p", selector={"matchLabels": UNKNOWN}),
    ],
    ids=["labels", "a spec", "a selector", "a port", "the pods of a policy"],
)
def test_what_decides_the_rest_may_not(manifest: Manifest) -> None:
    assert known([manifest]) == ([], [manifest])


def test_values_of_settings_may_be_unknown() -> None:
    (settings,), _ = known([made("ConfigMap", "c", data={"a": UNKNOWN, "b": "c"})])
    assert settings["data"] == {"a": "", "b": "c"}


def test_null_is_absent() -> None:
    (cleaned,), _ = known([made("Service", "s", spec={"selector": None, "ports": [None]})])
    assert cleaned["spec"] == {"ports": []}


def test_what_has_no_gap_is_not_copied() -> None:
    manifest = deployment()
    (certain,), _ = known([manifest])
    assert certain is manifest


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _paths(item, (*path, key))


def test_no_unknown_or_null_value_stops_a_check() -> None:
    stack = list(base(HARMLESS["an autoscaler within the quota"], HARMLESS["a narrow role"]).values())
    notes: set[str] = set()
    for index, manifest in enumerate(stack):
        if manifest["kind"] in {"ServiceAccount", "LimitRange", "ResourceQuota"}:
            continue
        for path in list(_paths(manifest))[index % 5 :: 5]:
            if path in {("kind",), ("apiVersion",)}:
                continue
            for value in (UNKNOWN, None):
                changed = copy.deepcopy(manifest)
                parent = changed
                for key in path[:-1]:
                    parent = parent[key]
                parent[path[-1]] = value
                after = [*stack[:index], changed, *stack[index + 1 :]]
                notes.update(message.code for message in check(stack, after).notes)
    assert notes <= {"invalid-object"}
