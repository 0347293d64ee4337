"""Roll a model service back: restore an earlier version in the stack's file, then deploy the stack.

The stack's history records the configuration and the outcome of each update, so a rollback only
selects versions that were deployed successfully. As it changes the configuration, the stack's file,
Pulumi's state and the cluster agree afterwards.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from config import load_file
from config.loader import PROJECT
from operations.pulumi_cli import OperationError, PulumiCli
from sandbox.progress import log

_SECTION = f"{PROJECT}:modelServices"

# The arguments that a rollback restores. All others, such as replicas, keep their current values.
_VERSION = ("image", "version", "model", "command", "args", "env")
# The arguments whose values are shown. The others may contain sensitive values.
_SHOWN = {"image", "version", "model"}


@dataclass(frozen=True)
class Update:
    """An update of a stack whose configuration has the model service."""

    number: int
    started: str
    succeeded: bool
    arguments: Mapping[str, Any]
    """The arguments of the model service."""

    @property
    def version(self) -> dict[str, Any]:
        """The arguments that make up the version."""
        return {key: self.arguments[key] for key in _VERSION if self.arguments.get(key) is not None}

    def matches(self, name: str) -> bool:
        """Whether a name is this update's model version, image, image tag or number."""
        image = str(self.arguments.get("image", ""))
        return name in {self.arguments.get("version"), image, image.rpartition(":")[2], str(self.number)}


def rollback(project: Path, pulumi: PulumiCli, stack: str, service: str, to: str | None) -> None:
    """Restore an earlier version of a model service in the stack's file, and deploy the stack.

    ``to`` is a model version, an image, an image tag or the number of an update. It defaults to the
    last version that was deployed before the current one.
    """
    file = project / f"Pulumi.{stack}.yaml"
    services = (yaml.safe_load(file.read_text(encoding="utf-8")).get("config") or {}).get(_SECTION) or {}
    if service not in services:
        raise OperationError(
            f"{file.name}: {_SECTION}.{service}: no such model service\n"
            f"  the model services of stack {stack}: {', '.join(services) or 'none'}"
        )
    target = choose(updates(pulumi.history(stack), service), service, stack, to)
    current = services[service]
    log(f"{service}: rolling back to {_display_name(target.version)}, update {target.number} of {target.started}")
    changes = {key: target.version.get(key) for key in _VERSION if current.get(key) != target.version.get(key)}
    for key, value in changes.items():
        change = f"{current.get(key)} -> {value}" if key in _SHOWN else f"restored from update {target.number}"
        log(f"{file.name}: {key}: {change}")
    if not changes:
        log(f"{file.name}: has this version already")
    for key, value in changes.items():
        path = f"{_SECTION}.{service}.{key}"
        if (isinstance(value, dict | list) or value is None) and key in current:
            pulumi.configure(stack, "rm", path)
        for leaf, text, kind in _leaves(path, value):
            pulumi.configure(stack, "set", leaf, "--type", kind, "--", text)
    load_file(stack, project)
    pulumi.up(stack)
    if changes:
        log(f"{file.name}: changed: commit it")


def updates(history: list[dict[str, Any]], service: str) -> list[Update]:
    """The updates in a stack's history that have a model service, newest first."""
    found = []
    for entry in history:
        section = entry.get("config", {}).get(_SECTION, {}).get("value")
        arguments = json.loads(section).get(service) if section else None
        if entry["kind"] == "update" and arguments is not None:
            found.append(Update(entry["version"], entry["startTime"], entry["result"] == "succeeded", arguments))
    return found


def choose(found: list[Update], service: str, stack: str, to: str | None) -> Update:
    """The latest successful update that matches ``to``, or that has another version than the latest update."""
    if not found:
        raise OperationError(f"{service}: no update of stack {stack} has deployed it: nothing to roll back to")
    succeeded = [update for update in found if update.succeeded]
    current = found[0].version
    if to is not None:
        candidates = [update for update in succeeded if update.matches(to)]
        problem = f"no successful update of stack {stack} matches {to!r}"
        fix = "TO= requires a model version, an image, an image tag or the number of an update. "
    else:
        candidates = [update for update in succeeded if update.version != current]
        problem = f"stack {stack} has deployed no version other than {_display_name(current)}"
        fix = ""
    if candidates:
        return candidates[0]
    known = list(dict.fromkeys(_display_name(update.version) for update in succeeded))
    raise OperationError(f"{service}: {problem}\n  {fix}Deployed versions: {', '.join(known) or 'none'}")


def _display_name(version: Mapping[str, Any]) -> str:
    """How messages name a version."""
    image = str(version.get("image", "the node pool's image"))
    return f"{version['version']} ({image})" if "version" in version else image


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str, str]]:
    """The scalars in a value: their path, text, and type for ``pulumi config set --type``."""
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
