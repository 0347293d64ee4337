"""Rollback: the version of a model that ran before goes back into the stack's configuration, then up.

What ran is known from the stack's own history: every update keeps the configuration that it was made
with, and whether it succeeded. So a version that never came up is never rolled back to; and since
the configuration itself is changed, git, Pulumi's state and the cluster agree afterwards.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from sandbox.layout import Layout, SandboxError
from sandbox.progress import say
from sandbox.stacks import Stacks, check

_SECTION = "ml-platform:modelServices"

# What makes a version of a model: the rest (replicas, service, ...) stays as it is.
_VERSION = ("image", "version", "model", "command", "args", "env")


@dataclass(frozen=True)
class Update:
    """One update of a stack that had the service, as its history tells it."""

    number: int
    when: str
    succeeded: bool
    service: Mapping[str, Any]
    """The service's arguments."""

    @property
    def version(self) -> dict[str, Any]:
        """The arguments that make the version."""
        return {key: self.service[key] for key in _VERSION if self.service.get(key) is not None}

    def called(self, name: str) -> bool:
        """Whether somebody may mean this one: by model version, image, tag, or number of the update."""
        image = str(self.service.get("image", ""))
        return name in {self.service.get("version"), image, image.rpartition(":")[2], str(self.number)}


def rollback(layout: Layout, stacks: Stacks, stack: str, service: str, to: str | None) -> None:
    """Put a former version of a service into the stack's configuration, say what changes, and bring it up."""
    file = layout.project / f"Pulumi.{stack}.yaml"
    services = (yaml.safe_load(file.read_text(encoding="utf-8")).get("config") or {}).get(_SECTION) or {}
    if service not in services:
        raise SandboxError(f"{file.name} has no model service {service!r}: it has {', '.join(services) or 'none'}")
    target = choose(updates(stacks.history(stack), service), service, stack, to)
    present = services[service]
    say(f"{service}: back to {_title(target.version)}, which update {target.number} of {target.when} brought up")
    changes = {key: target.version.get(key) for key in _VERSION if present.get(key) != target.version.get(key)}
    for key, value in changes.items():
        # Variables and arguments may hold what should have been a secret.
        shown = f"{present.get(key)} -> {value}" if key in {"image", "version", "model"} else "as it was then"
        say(f"{file.name}: {key}: {shown}")
    if not changes:
        say(f"{file.name} says so already")
    for key, value in changes.items():
        path = f"{_SECTION}.{service}.{key}"
        if (isinstance(value, dict | list) or value is None) and key in present:
            stacks.configure(stack, "rm", path)
        for leaf, text, kind in _leaves(path, value):
            stacks.configure(stack, "set", leaf, "--type", kind, "--", text)
    check(layout, stack)
    stacks.up(stack)
    if changes:
        say(f"{file.name} is changed: commit it")


def updates(history: list[dict[str, Any]], service: str) -> list[Update]:
    """The updates that had a service, newest first, from Pulumi's own account of them."""
    found = []
    for entry in history:
        section = entry.get("config", {}).get(_SECTION, {}).get("value")
        arguments = json.loads(section).get(service) if section else None
        if entry["kind"] == "update" and arguments is not None:
            found.append(Update(entry["version"], entry["startTime"], entry["result"] == "succeeded", arguments))
    return found


def choose(found: list[Update], service: str, stack: str, to: str | None) -> Update:
    """The update whose version is wanted: the one called ``to``, or the last one that ran before the present one."""
    if not found:
        raise SandboxError(f"stack {stack} was never brought up with {service}: there is nothing to go back to")
    ran = [update for update in found if update.succeeded]
    if to is not None:
        wanted = [update for update in ran if update.called(to)]
        fix = "TO= takes a model version, an image or its tag, or the number of an update. "
    else:
        wanted = [update for update in ran if update.version != found[0].version]
        fix = ""
    if wanted:
        return wanted[0]
    what = f"{to!r} never ran" if to is not None else f"no other version than {_title(found[0].version)} ever ran"
    known = list(dict.fromkeys(_title(update.version) for update in ran))
    raise SandboxError(f"{service} on stack {stack}: {what}. {fix}What ran: {', '.join(known) or 'nothing'}")


def _title(version: Mapping[str, Any]) -> str:
    """What a person calls a version."""
    image = str(version.get("image", "the node pool's image"))
    return f"{version['version']} ({image})" if "version" in version else image


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str, str]]:
    """The plain values in a value: path, text, and the type that Pulumi is to store it as."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(f"{path}.{key}", item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(f"{path}[{index}]", item)
    elif isinstance(value, bool):
        yield path, str(value).lower(), "bool"
    elif value is not None:
        yield path, str(value), {int: "int", float: "float"}.get(type(value), "string")
