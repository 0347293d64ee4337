"""References to variables."""

from typing import Any

import pytest

from components.base.objects import Manifest
from review.effects.variables import variables
from tests.review.effects.objects import container, deployment, pair

A = {"name": "A", "value": "a"}


def pods(**fields: Any) -> Manifest:
    return deployment(containers=[container(**fields)])


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        ({"args": ["--x=$(A)"], "env": [A]}, None),
        ({"args": ["--x=$(A)"]}, "A"),
        ({"command": ["run", "$(A)/$(B)"], "env": [A]}, "B"),
        ({"env": [A, {"name": "B", "value": "$(A)/b"}]}, None),
        ({"env": [{"name": "B", "value": "$(A)/b"}, A]}, "A"),
        ({"env": [{"name": "A", "valueFrom": {}}], "args": ["$(A)"]}, None),
        ({"args": ["$(A)"], "envFrom": [{"secretRef": {"name": "s"}}]}, None),
        ({"args": ["echo $$(A)", "$(date)", "${A}", "$A"]}, None),
    ],
)
def test_references_to_variables(fields: dict[str, Any], missing: str | None) -> None:
    found = list(variables(*pair([], [pods(**fields)])))
    assert [message.values["variables"] for message in found] == ([missing] if missing else [])


def test_what_was_so_before() -> None:
    before = pods(args=["$(A)"])
    assert list(variables(*pair([before], [pods(args=["$(A)"], tty=True)]))) == []
    assert len(list(variables(*pair([pods(args=["$(A)"], env=[A])], [before])))) == 1
    assert list(variables(*pair([before], []))) == []
