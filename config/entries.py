"""The entries of a stack's sections: the arguments of a component, and the key that the entry had before."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field, model_validator

from components import ModelServiceArgs, TeamNamespaceArgs, TrainingJobArgs
from components.base.arguments import Arguments
from components.base.error_table import FORMER_KEY_TAKEN
from components.base.inventory import Entry
from components.base.names import DnsLabel
from components.base.objects import target
from components.base.registration import Manifests


class EntrySettings(Arguments):
    """What every entry has besides the arguments of its component."""

    formerly: DnsLabel | None = Field(default=None, examples=["bert"])
    """The key that the entry had at the last update. Its objects stay, and ``name`` defaults to it.

    Once the stack is updated, remove it; keep ``name``. Updatable in place.
    """

    @model_validator(mode="before")
    @classmethod
    def _named_as_formerly(cls, given: Any) -> Any:
        if isinstance(given, Mapping) and given.get("formerly") is not None:
            return {"name": given["formerly"], **given}
        return given


class TeamSettings(EntrySettings, TeamNamespaceArgs):
    """A team of the stack."""


class TrainingJobSettings(EntrySettings, TrainingJobArgs):
    """A training job of the stack."""


class ModelServiceSettings(EntrySettings, ModelServiceArgs):
    """A model service of the stack."""


def former_key_problems(section: str, entries: Mapping[str, Any]) -> Iterator[Any]:
    """Former keys that are still keys, or that several entries had."""
    owners: dict[str, str] = {key: f"the entry {key}" for key in entries}
    for key, entry in entries.items():
        if entry.formerly is None:
            continue
        if entry.formerly in owners:
            yield (section, key, "formerly"), FORMER_KEY_TAKEN(former=entry.formerly, owner=owners[entry.formerly])
        owners.setdefault(entry.formerly, f"the former key of {key}")


def inventory_of(entries: Mapping[str, Any], objects: Mapping[str, Manifests]) -> dict[str, Entry]:
    """The entries of a section and their objects, as the inventory of the stack remembers them."""
    return {
        key: Entry.of(
            entry.name or entry.formerly or key,
            entry.model_dump(by_alias=True, exclude_unset=True),
            map(target, objects.get(key, {}).values()),
            formerly=(entry.formerly,) if entry.formerly else (),
        )
        for key, entry in entries.items()
    }
