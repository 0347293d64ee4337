"""The inventory of a stack: the entries of its configuration, remembered from one update to the next.

Pulumi knows a resource by its logical name. An entry under another key is therefore another component: its
objects would be created again and those of the old key deleted, or, where both have the same names, created
and deleted at once. The inventory compares the entries with those of the last update, and rejects that before
anything is changed.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import pulumi
from pulumi.runtime.settings import get_monitor

from .base.error_table import ENTRY_NAME_IMMUTABLE, ENTRY_OBJECT_MOVED, ENTRY_RENAMED
from .base.errors import Problem

TYPE = "ml-platform:index:Inventory"

# The share of equal fields from which a new entry counts as a removed one that was renamed. A false alarm costs
# an update more, a missed rename the objects.
_SIMILAR = 0.5


@dataclass(frozen=True)
class Entry:
    """One entry of a section: a team, a workload, a PriorityClass."""

    name: str
    """The name of its objects."""

    fields: frozenset[str]
    """Hashes of its fields and their values."""

    objects: frozenset[str] = frozenset()
    """Its objects: ``Service ml-serving/bert``."""

    formerly: str | None = None
    """The key that it had before."""

    @classmethod
    def of(
        cls, name: str, arguments: Mapping[str, Any], objects: Iterable[str] = (), formerly: str | None = None
    ) -> "Entry":
        """The entry of some arguments, in the spelling of YAML, and its objects."""
        return cls(name, frozenset(_hashes(arguments)), frozenset(objects), formerly)

    def similarity(self, other: "Entry") -> float:
        """How much two entries have in common, from 0 to 1."""
        union = self.fields | other.fields
        return 1.0 if self.name == other.name or not union else len(self.fields & other.fields) / len(union)


Entries = Mapping[str, Mapping[str, Entry]]
"""Section → key → entry."""


def _hashes(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if path or key not in {"name", "formerly"}:
                yield from _hashes(item, f"{path}.{key}")
    else:
        # An image of another version is the same image here.
        text = value.rpartition(":")[0] or value if path == ".image" and isinstance(value, str) else value
        yield hashlib.sha256(f"{path}={json.dumps(text, default=str)}".encode()).hexdigest()[:8]


def problems(old: Entries, new: Entries) -> list[Problem]:
    """What must not change from one update to the next, at the paths of the new entries."""
    found = [
        problem for section, entries in new.items() for problem in _of_section(section, old.get(section, {}), entries)
    ]
    return found or list(_moved_objects(old, new))


def _moved_objects(old: Entries, new: Entries) -> Iterator[Problem]:
    """Objects that another entry had at the last update."""
    owners = {
        name: (section, key) for section, by in old.items() for key, entry in by.items() for name in entry.objects
    }
    for section, entries in new.items():
        for key, entry in entries.items():
            former = _former_key(key, entry, old.get(section, {}))
            for name in sorted(entry.objects):
                owner = owners.get(name, (section, former))
                if owner != (section, former):
                    yield ENTRY_OBJECT_MOVED.problem((section, key), object=name, before=".".join(map(str, owner)))
                    break


def _of_section(section: str, old: Mapping[str, Entry], new: Mapping[str, Entry]) -> Iterator[Problem]:
    former = {key: _former_key(key, entry, old) for key, entry in new.items()}
    renamed = _renamed(
        {key: entry for key, entry in old.items() if key not in former.values()},
        {key: entry for key, entry in new.items() if former[key] is None},
    )
    for key, entry in new.items():
        before = former[key]
        if before is not None and old[before].name != entry.name:
            yield ENTRY_NAME_IMMUTABLE.problem((section, key), name=entry.name, before=old[before].name)
        elif key in renamed:
            yield ENTRY_RENAMED.problem((section, key), before=renamed[key], name=old[renamed[key]].name)


def _renamed(removed: Mapping[str, Entry], added: Mapping[str, Entry]) -> dict[str, str]:
    """The added keys that are probably removed ones, each with the most similar of those."""
    pairs = [
        (entry.similarity(before), SequenceMatcher(None, key, old).ratio(), key, old)
        for key, entry in added.items()
        for old, before in removed.items()
        if entry.similarity(before) >= _SIMILAR
    ]
    found: dict[str, str] = {}
    for _, _, key, old in sorted(pairs, reverse=True):
        if key not in found and old not in found.values():
            found[key] = old
    return found


def _former_key(key: str, entry: Entry, old: Mapping[str, Entry]) -> str | None:
    """The key that an entry had at the last update; None where it is new."""
    return next((candidate for candidate in (key, entry.formerly) if candidate in old), None)


class Inventory(pulumi.ComponentResource):
    """The entries of a stack's configuration. It has no objects in the cluster.

    Everything else depends on ``compared``, so that nothing is changed before the entries have been compared.
    """

    compared: "pulumi.Output[Inventory]"
    """The inventory itself, once its entries have been compared."""

    def __init__(self, name: str, entries: Entries, opts: pulumi.ResourceOptions | None = None) -> None:
        inputs = {
            section: {key: _written(entry) for key, entry in by_key.items()} for section, by_key in entries.items()
        }
        super().__init__(TYPE, name, inputs, pulumi.ResourceOptions.merge(opts, _compared(entries)))
        # Pulumi does not wait for a component that is a dependency, only for its children.
        self.compared = self.urn.apply(lambda _: self)
        self.register_outputs({})


def _compared(entries: Entries) -> pulumi.ResourceOptions:
    """The hook that rejects a change. It is called before anything is updated, in a preview and without one."""
    if not hasattr(get_monitor(), "RegisterResourceHook"):  # Pulumi's mocks know no hooks
        return pulumi.ResourceOptions()

    def compare(args: pulumi.ResourceHookArgs) -> None:
        old = _read(args.old_inputs or {})
        found = problems(old, entries)
        if found:
            raise ValueError(
                "\n".join(
                    f"ml-platform:{problem.property_path()}: {problem.message} [{problem.code}]\n  {problem.fix}"
                    for problem in found
                )
            )

        for key, team in old.get("teams", {}).items():
            if key not in entries["teams"] and key not in {entry.formerly for entry in entries["teams"].values()}:
                pulumi.log.warn(
                    f"team {key} is removed: its namespace {team.name} is deleted with everything in it, unless it is "
                    "retained, adopted, or moved to another stack. "
                    f"`kubectl get all,pvc -n {team.name}` lists the contents."
                )

    hook = pulumi.ResourceHook("ml-platform:inventory", compare, pulumi.ResourceHookOptions(on_dry_run=True))
    return pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding(before_update=[hook]))


def _written(entry: Entry) -> dict[str, Any]:
    return {"name": entry.name, "fields": sorted(entry.fields), "objects": sorted(entry.objects)}


def _read(inputs: Mapping[str, Any]) -> Entries:
    """The entries of the last update."""
    return {
        section: {
            key: Entry(entry["name"], frozenset(entry["fields"]), frozenset(entry["objects"]))
            for key, entry in by_key.items()
        }
        for section, by_key in inputs.items()
        if isinstance(by_key, Mapping)
    }
