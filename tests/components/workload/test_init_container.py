"""Init containers."""

from typing import Any

import pytest

from components import InitContainer
from tests.problems import errors

RESOURCES = {"requests": {"cpu": "1", "memory": "1Gi"}}


def test_resources_are_required() -> None:
    assert errors(lambda: InitContainer(name="stage", resources=RESOURCES)) == []  # type: ignore[arg-type]
    assert errors(lambda: InitContainer.of({"name": "stage"})) == [("required", "resources")]
    assert errors(lambda: InitContainer.of({"name": "stage", "resources": {}})) == [
        ("init-without-resources", "resources")
    ]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"name": "Stage"}, ("name-invalid", "name")),
        ({"image": "Stage"}, ("image-invalid", "image")),
        ({"resources": {"limits": {"nvidia.com/gpu": 1}}}, ("derived", 'resources.limits["nvidia.com/gpu"]')),
    ],
)
def test_invalid_arguments(arguments: dict[str, Any], error: tuple[str, str]) -> None:
    given = {"name": "stage", "resources": RESOURCES, **arguments}
    assert errors(lambda: InitContainer.of(given)) == [error]
