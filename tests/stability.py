"""The record of the last release: the URNs of children, and the arguments with their types and defaults.

A child's type and name are its URN, by which a stack finds it again: under another URN, the object would be
deleted and created again. Arguments, outputs and their defaults are what programs and stacks rely on.

python -m tests.stability   record the present state, when a version is released
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic_core import to_jsonable_python

from components import (
    VERSION,
    ModelService,
    ModelServiceArgs,
    PriorityClasses,
    TeamNamespace,
    TrainingJob,
    TrainingJobArgs,
)
from components.base.arguments import Arguments
from components.team_namespace.limit_range import default_limits
from plugin.provider import COMPONENTS
from plugin.schema import schema
from tests.argument_models import nested
from tests.mocks import Deployment, deploy

RECORD = Path(__file__).resolve().parent / "stability.json"
CHANGELOG = Path(__file__).resolve().parent.parent / "CHANGELOG.md"

Record = dict[str, Any]

_TEAM = {
    "priority_quotas": {"training": {"pods": "5"}},
    "access": {"viewers": ["v"], "developers": ["d"], "admins": ["a"]},
    "network": {
        "allow_from": {"namespaces": ["web"]},
        "allow_to": {"cidrs": ["0.0.0.0/0"]},
        "serving": {"ports": [8080], "anywhere": True},
    },
    "registries": ["ghcr.io/acme"],
    "queues": {"training": "gpus"},
}
_JOB: dict[str, Any] = {"namespace": "ml", "image": "trainer:v1"}
_SERVICE: dict[str, Any] = {"namespace": "ml", "image": "server:v1"}
_CANARY = {"image": "server:v2", "weight": 10}


def everything() -> None:
    """Every child that the components can have, at least once."""
    PriorityClasses("priority", {"classes": {"training": {"value": 1000}}})
    TeamNamespace("team", _TEAM)
    TeamNamespace("adopted", {"adopt": True})
    TrainingJob("job", {**_JOB, "workers": 2})
    TrainingJob("kept", {**_JOB, "previous_runs": "keep", "run_id": "2"})
    TrainingJob("pod", {**_JOB, "controller": "pod"})
    TrainingJob("group", {**_JOB, "workers": 2, "restart": "group"})
    cpu = {"min": 2, "max": 4, "cpu": 70}
    ModelService("service", {**_SERVICE, "autoscale": cpu, "ingress": {"host": "a.example.com"}})
    ModelService("routed", {**_SERVICE, "route": {"gateway": "public"}, "canary": _CANARY})
    keda = {"min": 1, "max": 4, "keda": {"type": "cron", "metadata": {"timezone": "UTC"}}}
    ModelService("keda", {**_SERVICE, "autoscale": keda, "metrics": {"monitor": "service"}})
    ModelService("pods", {**_SERVICE, "metrics": {"monitor": "pod"}})
    ModelService("hosted", {"namespace": "ml", "service": {"type": "ExternalName", "external_name": "a.example.com"}})


def current() -> Record:
    """The present state."""
    return {
        "version": VERSION,
        "urns": sorted(set(_urns(made()))),
        "arguments": dict(sorted(_arguments())),
        "defaults": dict(sorted(dict(_defaults()).items())),
    }


def made() -> Deployment:
    """The registration of all children."""
    return deploy(everything, preview=True)


def _urns(deployment: Deployment) -> Iterator[str]:
    for resource in deployment.resources:
        parent = resource.parent.split("::")[2].removeprefix("pulumi:pulumi:Stack$")
        yield f"{parent}${resource.type}::{resource.name}" if resource.request.custom else resource.type


def _arguments() -> Iterator[tuple[str, str]]:
    """Each argument, output and choice in the package's schema, with its type."""
    package = schema(COMPONENTS)
    for token, resource in package["resources"].items():
        name = token.rsplit(":", 1)[1]
        yield from _properties(name, resource["inputProperties"], resource["requiredInputs"])
        yield from _properties(f"{name} output", resource["properties"], resource["required"])
    for token, spec in package["types"].items():
        name = token.rsplit(":", 1)[1]
        for choice in spec.get("enum", []):
            yield f"{name}={choice['value']}", "choice"
        yield from _properties(name, spec.get("properties", {}), spec.get("required", []))


def _properties(owner: str, properties: Mapping[str, Any], required: list[str]) -> Iterator[tuple[str, str]]:
    for name, spec in properties.items():
        kind = json.dumps({key: value for key, value in spec.items() if key != "description"}, sort_keys=True)
        yield f"{owner}.{name}", f"{'required' if name in required else 'optional'} {kind}"


def _defaults() -> Iterator[tuple[str, Any]]:
    """The default of each optional argument, as JSON. None: no default, or one that is derived from other arguments."""
    for model in {model: None for args in COMPONENTS.values() for model in nested(args)}:
        for field in model.model_fields.values():
            if not field.is_required():
                name = f"{model.__name__.removesuffix('Args')}.{field.alias}"
                yield name, _json(field.get_default(call_default_factory=True))
    training, service = TrainingJobArgs(**_JOB), ModelServiceArgs(**_SERVICE)
    yield "TrainingJob.resources", _json(training.default_resources())
    yield "TrainingJob.sharedMemory", training.memory_for_sharing()
    yield "ModelService.resources", _json(service.default_resources())
    yield "ModelService.rollout", service.effective_rollout()
    yield "TeamNamespace.containerLimits", _json(default_limits({"limits.cpu": "8"}))


def _json(value: Any) -> Any:
    """A value as JSON. Of a model, only what differs from its own defaults, which are recorded with it."""
    if isinstance(value, Arguments):
        return value.model_dump(by_alias=True, exclude_defaults=True, mode="json")
    return to_jsonable_python(value)


def problems(recorded: Record, now: Record, aliases: set[str], news: str) -> Iterator[str]:
    """Changes since the last release without the alias or the line in the changelog that they require.

    ``news`` is the changelog since that release, which names each change in backticks.
    """
    for urn in sorted(set(recorded["urns"]) ^ set(now["urns"])):
        if urn in recorded["urns"] and "::" in urn and urn not in aliases:
            yield f"{urn} is removed, and no child has it as an alias: stacks would delete the object"
        name = urn.split("::")[-1]
        role = f"-{name.split('-', 1)[1]}" if "::" in urn else name
        if f"`{role}`" not in news:
            yield f"{urn} is {_fate(urn, recorded['urns'])}, and CHANGELOG.md has no line with `{role}`"
    old, new = recorded["arguments"], now["arguments"]
    for path in sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path)):
        name = re.split("[.=]", path)[-1]
        if f"`{name}`" not in news:
            change = "changed" if path in old and path in new else _fate(path, old)
            yield f"{path} is {change}, and CHANGELOG.md has no line with `{name}`"
    old, new = recorded["defaults"], now["defaults"]
    for path in sorted(path for path in old.keys() & new.keys() if old[path] != new[path]):
        name = path.split(".")[-1]
        if f"`{name}`" not in news:
            yield f"the default of {path} is changed, and CHANGELOG.md has no line with `{name}`"


def _fate(key: str, before: Any) -> str:
    return "removed" if key in before else "new"


def aliases(deployment: Deployment) -> set[str]:
    """The previous URNs of resources, as they are recorded."""
    found = set()
    for resource in deployment.resources:
        parent = resource.parent.split("::")[2].removeprefix("pulumi:pulumi:Stack$")
        for alias in resource.request.aliases:
            kind, name = alias.spec.type or resource.type, alias.spec.name or resource.name
            found.add(f"{parent}${kind}::{name}")
    return found


def news(changelog: str, version: str) -> str:
    """The sections of the changelog above that of a version."""
    sections = re.split(r"^(?=## )", changelog, flags=re.MULTILINE)[1:]
    titles = [section.split()[1] for section in sections]
    assert version in titles, f"CHANGELOG.md has no section for {version}"
    return "".join(sections[: titles.index(version)])


if __name__ == "__main__":
    RECORD.write_text(json.dumps(current(), indent=1) + "\n", encoding="utf-8")
