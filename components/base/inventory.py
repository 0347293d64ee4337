"""The inventory of a stack: its components, recorded from one update to the next.

Pulumi identifies a resource by its logical name. An entry of the configuration under another key is therefore
another component: its objects would be created again and those of the old key deleted, or, where both have the
same names, created and then deleted. The inventory compares the entries with those of the last update, and
rejects that before anything is changed. In a Python program, the entries are its components.
"""

import hashlib
import json
import weakref
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import pulumi
from pulumi.runtime.settings import get_monitor

from . import hooks
from .error_table import (
    COMPONENT_MOVED,
    COMPONENT_NAME_IMMUTABLE,
    COMPONENT_RENAMED,
    ENTRY_NAME_IMMUTABLE,
    ENTRY_OBJECT_MOVED,
    ENTRY_RENAMED,
)
from .errors import ErrorKind, Problem, property_path

TYPE = "ml-platform:index:Inventory"

# The share of equal fields from which a new entry counts as a removed one that was renamed. A false alarm costs
# an update more, a missed rename the objects.
_SIMILAR = 0.5


@dataclass(frozen=True)
class Entry:
    """One entry of a section: a team, a workload or a PriorityClass."""

    name: str
    """The name of its objects."""

    fields: frozenset[str]
    """Hashes of its fields and their values."""

    objects: frozenset[str] = frozenset()
    """Its objects: ``Service ml-serving/bert``."""

    formerly: tuple[str, ...] = ()
    """The keys that it had before."""

    parent: str = ""
    """The type of its parent component; empty if it has none, as every entry of a configuration."""

    has_moved: bool = False
    """Whether it declares that it had another parent before."""

    @classmethod
    def of(cls, name: str, arguments: Mapping[str, Any], objects: Iterable[str] = (), **fields: Any) -> "Entry":
        """The entry of some arguments, in the spelling of YAML, with its objects and other fields."""
        return cls(name, frozenset(_hashes(arguments)), frozenset(objects), **fields)

    def similarity(self, other: "Entry") -> float:
        """How much two entries have in common, from 0 to 1."""
        union = self.fields | other.fields
        return 1.0 if self.name == other.name or not union else len(self.fields & other.fields) / len(union)


Entries = Mapping[str, MutableMapping[str, Entry]]
"""Section → key → entry. In a Python program: type → name → component."""


@dataclass(frozen=True)
class Form:
    """Where the entries are declared, which determines how errors name and fix them."""

    renamed: ErrorKind
    name_immutable: ErrorKind
    subject: str
    """The template of an entry's path: ``{section}`` and ``{key}``."""


CONFIGURATION = Form(ENTRY_RENAMED, ENTRY_NAME_IMMUTABLE, "ml-platform:{section}.{key}")
PYTHON = Form(COMPONENT_RENAMED, COMPONENT_NAME_IMMUTABLE, "{section} {key}")


def _hashes(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if path or key not in {"name", "formerly"}:
                yield from _hashes(item, f"{path}.{key}")
    else:
        # An image of another version is the same image here.
        text = value.rpartition(":")[0] or value if path == ".image" and isinstance(value, str) else value
        # Outputs and components have no value yet.
        text = json.dumps(text, default=lambda value: type(value).__name__)
        yield hashlib.sha256(f"{path}={text}".encode()).hexdigest()[:8]


def problems(old: Entries, new: Entries, form: Form = CONFIGURATION) -> list[Problem]:
    """What must not change from one update to the next, at the paths of the new entries."""
    found = [
        problem
        for section, entries in new.items()
        for problem in _of_section(section, old.get(section, {}), entries, form)
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


def _of_section(section: str, old: Mapping[str, Entry], new: Mapping[str, Entry], form: Form) -> Iterator[Problem]:
    former = {key: _former_key(key, entry, old) for key, entry in new.items()}
    renamed = _renamed(
        {key: entry for key, entry in old.items() if key not in former.values()},
        {key: entry for key, entry in new.items() if former[key] is None},
    )
    for key, entry in new.items():
        before = former[key]
        if before is not None and old[before].name != entry.name:
            yield form.name_immutable.problem((section, key), name=entry.name, before=old[before].name)
        elif key in renamed:
            yield form.renamed.problem((section, key), before=renamed[key], name=old[renamed[key]].name)
        elif before is not None and old[before].parent != entry.parent and not entry.has_moved:
            yield COMPONENT_MOVED.problem((section, key), before=old[before].parent or "the stack")


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
    return next((candidate for candidate in (key, *entry.formerly) if candidate in old), None)


class Inventory(pulumi.ComponentResource):
    """The entries of a stack. It has no objects in the cluster.

    Everything else depends on ``compared``, so that nothing is changed before the entries have been compared.
    """

    compared: "pulumi.Output[Inventory]"
    """The inventory itself, once its entries have been compared."""

    entries: Entries
    form: Form

    def __init__(
        self, name: str, entries: Entries, inputs: Mapping[str, Any] | None = None, form: Form = CONFIGURATION
    ) -> None:
        """``inputs`` are the entries as they are recorded, if they are not yet complete."""
        opts = hooks.before_update("ml-platform:inventory", lambda args: _compare(args, entries, form))
        super().__init__(TYPE, name, inputs or {section: recorded(entries[section]) for section in entries}, opts)
        # Pulumi does not wait for a component that is a dependency, only for its children.
        self.compared = self.urn.apply(lambda _: self)
        self.entries, self.form = entries, form
        if hooks.supported():
            _INVENTORIES[get_monitor()] = self
        self.register_outputs({})


_INVENTORIES: "weakref.WeakKeyDictionary[Any, Inventory]" = weakref.WeakKeyDictionary()
"""The inventories of running programs, by the connection to the engine."""


def inventory_of_program() -> Inventory | None:
    """The inventory of the running program; None if it has not declared one."""
    return _INVENTORIES.get(get_monitor())


def _compare(args: pulumi.ResourceHookArgs, entries: Entries, form: Form) -> None:
    """Reject a change of the entries. It is called before anything is updated, in a preview and without one."""
    old = read(args.old_inputs or {})
    found = problems(old, entries, form)
    if found:
        lines = []
        for problem in found:
            subject = form.subject.format(section=problem.path[0], key=property_path(problem.path[1:]))
            lines += [f"{subject}: {problem.message} [{problem.code}]", f"  {problem.fix}"]
        raise ValueError("\n".join(lines))

    teams = entries.get("teams", {})
    for key, team in old.get("teams", {}).items():
        if key not in teams and not any(key in entry.formerly for entry in teams.values()):
            pulumi.log.warn(
                f"team {key} is removed: its namespace {team.name} is deleted with everything in it, unless it is "
                "retained, adopted, or moved to another stack. "
                f"`kubectl get all,pvc -n {team.name}` lists the contents."
            )


def recorded(entries: Mapping[str, Entry]) -> dict[str, Any]:
    """The entries of a section as they are recorded."""
    return {
        key: {
            "name": entry.name,
            "fields": sorted(entry.fields),
            "objects": sorted(entry.objects),
            **({"parent": entry.parent} if entry.parent else {}),
        }
        for key, entry in entries.items()
    }


def read(inputs: Mapping[str, Any]) -> Entries:
    """The entries of the last update."""
    return {
        section: {
            key: Entry(
                entry["name"],
                frozenset(entry["fields"]),
                frozenset(entry["objects"]),
                parent=entry.get("parent", ""),
            )
            for key, entry in by_key.items()
        }
        for section, by_key in inputs.items()
        if isinstance(by_key, Mapping)
    }
