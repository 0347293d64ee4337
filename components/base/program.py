"""The inventory of a Python program, which declares its components one by one.

A stack that is configured in YAML declares its inventory first, and with all entries. A Python program gets one
with its first component. The entries of that inventory are complete when the program's statements have run.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.runtime.settings import get_root_resource

from . import hooks
from .arguments import Arguments
from .inventory import PYTHON, Entry, Inventory, inventory_of_program, recorded

TYPES = ("ModelService", "TeamNamespace", "TrainingJob")
"""The types of component that are recorded. The objects of others have the same names under any name of theirs."""


async def _complete(entries: Mapping[str, Entry]) -> Mapping[str, Any]:
    """The entries of a section, as they are recorded."""
    # The program runs in the event loop: this continues when its last statement has run.
    await asyncio.sleep(0)
    return recorded(entries)


def _inventory() -> Inventory:
    """The inventory of the running program."""
    inventory = inventory_of_program()
    if inventory is None:
        entries: dict[str, dict[str, Entry]] = {kind: {} for kind in TYPES}
        inputs = {kind: _complete(entries[kind]) for kind in TYPES}
        inventory = Inventory("inventory", entries, inputs, PYTHON)
    return inventory


def tracked(
    kind: str, name: str, object_name: str, args: Arguments, opts: pulumi.ResourceOptions | None
) -> pulumi.ResourceOptions | None:
    """The options of a component that is created after the inventory of the program has been compared.

    They are unchanged for a stack that is configured in YAML, and in the plugin, where each component is a
    program of its own.
    """
    if not hooks.supported() or get_root_resource() is None:
        return opts
    inventory = _inventory()
    if inventory.form is not PYTHON:
        return opts
    inventory.entries[kind][name] = entry(name, object_name, args, opts or pulumi.ResourceOptions())
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[inventory.compared]))


def entry(name: str, object_name: str, args: Arguments, opts: pulumi.ResourceOptions) -> Entry:
    """The entry of a component with these arguments and options."""
    aliases = opts.aliases if isinstance(opts.aliases, list) else []
    return Entry.of(
        object_name,
        # Values that are unknown, such as Outputs, are not of the declared types.
        args.model_dump(by_alias=True, exclude_unset=True, warnings=False),
        formerly=tuple(filter(None, (_former_name(alias, name) for alias in aliases))),
        parent=opts.parent.pulumi_resource_type if opts.parent else "",
        has_moved=bool(aliases),
    )


def _former_name(alias: Any, name: str) -> str | None:
    """The name of a component in an alias: an Alias or a URN. None if it is not known yet."""
    if isinstance(alias, str):
        return alias.rpartition("::")[2]
    former = getattr(alias, "name", None)
    if isinstance(former, str):
        return former
    return name if former is ... else None
