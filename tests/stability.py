"""What programs and stacks of other teams rely on, as it was at the last release.

A child's type and name are its URN, by which a stack finds it again: under another one the object is
deleted and made anew. Tokens and arguments are what programs say.

python -m tests.stability   record what is there now, when a version is released
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from components import VERSION, ModelService, PriorityClasses, TeamNamespace, TrainingJob
from plugin.provider import COMPONENTS
from plugin.schema import schema
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
_JOB = {"namespace": "ml", "image": "trainer:v1"}
_SERVICE = {"namespace": "ml", "image": "server:v1"}
_CANARY = {"image": "server:v2", "weight": 10}


def everything() -> None:
    """Every kind of child that the components can have, once."""
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
    """What there is now."""
    return {"version": VERSION, "urns": sorted(set(_urns(made()))), "arguments": dict(sorted(_arguments()))}


def made() -> Deployment:
    """All children, as they are registered."""
    return deploy(everything, preview=True)


def _urns(deployment: Deployment) -> Iterator[str]:
    for resource in deployment.resources:
        parent = resource.parent.split("::")[2].removeprefix("pulumi:pulumi:Stack$")
        yield f"{parent}${resource.type}::{resource.name}" if resource.request.custom else resource.type


def _arguments() -> Iterator[tuple[str, str]]:
    """Each argument, output and choice of the package's schema, and its type."""
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


def problems(recorded: Record, now: Record, aliases: set[str], news: str) -> Iterator[str]:
    """What has changed since the last release without the alias or the line in the changelog that it takes.

    ``news`` is the changelog since that release; a change is named there in backticks.
    """
    for urn in sorted(set(recorded["urns"]) ^ set(now["urns"])):
        if urn in recorded["urns"] and "::" in urn and urn not in aliases:
            yield f"{urn} is gone, and nothing has it as an alias: stacks would delete the object"
        name = urn.split("::")[-1]
        role = f"-{name.split('-', 1)[1]}" if "::" in urn else name
        if f"`{role}`" not in news:
            yield f"{urn} is {_fate(urn, recorded['urns'])}, and CHANGELOG.md has no line with `{role}`"
    old, new = recorded["arguments"], now["arguments"]
    for path in sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path)):
        name = re.split("[.=]", path)[-1]
        if f"`{name}`" not in news:
            fate = "changed" if path in old and path in new else _fate(path, old)
            yield f"{path} is {fate}, and CHANGELOG.md has no line with `{name}`"


def _fate(key: str, before: Any) -> str:
    return "gone" if key in before else "new"


def aliases(deployment: Deployment) -> set[str]:
    """The URNs, in the spelling of the record, that resources have had before."""
    found = set()
    for resource in deployment.resources:
        parent = resource.parent.split("::")[2].removeprefix("pulumi:pulumi:Stack$")
        for alias in resource.request.aliases:
            kind, name = alias.spec.type or resource.type, alias.spec.name or resource.name
            found.add(f"{parent}${kind}::{name}")
    return found


def news(changelog: str, version: str) -> str:
    """The changelog's sections above that of a version."""
    sections = re.split(r"^(?=## )", changelog, flags=re.MULTILINE)[1:]
    titles = [section.split()[1] for section in sections]
    assert version in titles, f"CHANGELOG.md has no section for {version}"
    return "".join(sections[: titles.index(version)])


if __name__ == "__main__":
    RECORD.write_text(json.dumps(current(), indent=1) + "\n", encoding="utf-8")
