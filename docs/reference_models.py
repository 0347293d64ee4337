"""The models of the reference, and the page that describes each of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

import pulumi

from components import ModelService, PriorityClasses, TeamNamespace, TrainingJob
from components.base.arguments import Arguments
from components.priority_classes import PriorityClassArgs
from config.entries import ModelServiceSettings, TeamSettings, TrainingJobSettings
from config.settings import NodePoolSettings


@dataclass(frozen=True)
class Page:
    """One page: a model with all that is nested in it, and the component that takes it."""

    file: str
    title: str
    model: type[Arguments]
    component: type[pulumi.ComponentResource] | None = None


PAGES = (
    Page("node-pool.md", "Node pools", NodePoolSettings),
    Page("team-namespace.md", "TeamNamespace", TeamSettings, TeamNamespace),
    Page("training-job.md", "TrainingJob", TrainingJobSettings, TrainingJob),
    Page("model-service.md", "ModelService", ModelServiceSettings, ModelService),
    Page("priority-classes.md", "PriorityClasses", PriorityClassArgs, PriorityClasses),
)
SHARED = "shared.md"
"""The page of models that several components take."""


def files() -> dict[type[Arguments], str]:
    """Every model → its page: that of its only component, or the shared one."""
    users: dict[type[Arguments], list[str]] = {}
    for page in PAGES:
        for model in with_nested(page.model):
            users.setdefault(model, []).append(page.file)
    return {model: pages[0] if len(pages) == 1 else SHARED for model, pages in users.items()}


def with_nested(model: type[Arguments], seen: set[type[Arguments]] | None = None) -> Iterator[type[Arguments]]:
    """A model and all that are nested in it, in the order of their arguments."""
    seen = set() if seen is None else seen
    if model in seen:
        return
    seen.add(model)
    yield model
    schema = model.model_json_schema(by_alias=True)["properties"]
    for name, field in model.model_fields.items():
        # An argument that a stack sets by name (a team, a node pool) is described on the page of what it names.
        if "$ref" in json.dumps(schema[str(field.alias or name)]):
            for nested in models_in(field.annotation):
                yield from with_nested(nested, seen)


def models_in(annotation: Any) -> Iterator[type[Arguments]]:
    """The models in a type."""
    if isinstance(annotation, type) and issubclass(annotation, Arguments):
        yield annotation
    for part in get_args(annotation):
        yield from models_in(part)
