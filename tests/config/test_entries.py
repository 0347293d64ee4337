"""Entries that had another key before."""

from typing import Any

import pytest
from pydantic import ValidationError

from components.base.validation import problems_of
from config import StackSettings
from tests.problems import found

TEAM = {"quota": {"pods": "20", "requests.cpu": "64", "requests.memory": "256Gi"}}
SERVICE = {"team": "nlp", "image": "a:v1"}


def stack(**services: dict[str, Any]) -> dict[str, Any]:
    return {"teams": {"nlp": TEAM}, "modelServices": services}


def test_objects_keep_the_name_of_the_former_key() -> None:
    settings = StackSettings.parse({"teams": {"nlp": {**TEAM, "formerly": "language"}}, "modelServices": {}})
    assert settings.teams["nlp"].tenant("nlp").namespace == "language"
    assert settings.teams["nlp"].tenant("nlp").team == "language"
    settings = StackSettings.parse(stack(ranker={**SERVICE, "formerly": "bert"}))
    assert settings.model_services["ranker"].object_name("ranker") == "bert"
    settings = StackSettings.parse(stack(ranker={**SERVICE, "formerly": "bert", "name": "api"}))
    assert settings.model_services["ranker"].object_name("ranker") == "api"


@pytest.mark.parametrize(
    ("services", "path"),
    [
        ({"bert": SERVICE, "ranker": {**SERVICE, "formerly": "bert", "name": "r"}}, "modelServices.ranker.formerly"),
        (
            {
                "one": {**SERVICE, "formerly": "bert", "name": "o", "labels": {"app": "o"}},
                "two": {**SERVICE, "formerly": "bert", "name": "t", "labels": {"app": "t"}},
            },
            "modelServices.two.formerly",
        ),
    ],
)
def test_a_former_key_belongs_to_one_entry(services: dict[str, Any], path: str) -> None:
    with pytest.raises(ValidationError) as error:
        StackSettings.parse(stack(**services))
    assert found(problems_of(error.value)) == [("former-key-taken", path)]


def test_the_inventory_has_every_entry_with_objects() -> None:
    settings = StackSettings.parse({**stack(bert=SERVICE), "priorityClasses": {"batch": {"value": 1}}})
    inventory = settings.inventory()
    assert {section: list(entries) for section, entries in inventory.items()} == {
        "teams": ["nlp"],
        "priorityClasses": ["batch"],
        "trainingJobs": [],
        "modelServices": ["bert"],
    }
    assert inventory["modelServices"]["bert"].name == "bert"
