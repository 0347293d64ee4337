"""What changes in an object, field by field."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from components.base.objects import Manifest
from review.preview import UNKNOWN_TEXT
from review.secrets import shown

_LONGEST = 120


@dataclass(frozen=True)
class FieldChange:
    """One field, before and after, as text; None: it is not there."""

    path: str
    before: str | None
    after: str | None


def changes(before: Manifest, after: Manifest) -> list[FieldChange]:
    """The fields in which two versions of an object differ.

    Entries of lists are told by their name, where they have one, so that a container in between moves
    nothing. That a secret changes is told, and neither value.
    """
    pairs = _Side(before, shown(before)), _Side(after, shown(after))
    return [FieldChange(path, one.text(), other.text()) for path, one, other in _differences("", *pairs)]


@dataclass(frozen=True)
class _Side:
    """A value, and as much of it as may be shown."""

    value: Any
    shown: Any

    def get(self, key: str) -> "_Side":
        if isinstance(self.value, list):
            # By the real names: one that looks like a token is hidden among what is shown.
            pairs = zip((_named(self.value) or {}).items(), self.shown, strict=True)
            found = [_Side(value, _nameless(told)) for (name, value), told in pairs if name == key]
            return found[0] if found else _NOTHING
        return _Side(self.value[key], self.shown[key]) if key in self.value else _NOTHING

    def text(self) -> str | None:
        if self is _NOTHING:
            return None
        told = self.shown if isinstance(self.shown, str) else json.dumps(self.shown, ensure_ascii=False)
        told = told.replace(UNKNOWN_TEXT, "(known after up)")
        return told if len(told) <= _LONGEST else f"{told[:_LONGEST]}…"


_NOTHING = _Side(object(), None)


def _differences(path: str, before: _Side, after: _Side) -> Iterator[tuple[str, _Side, _Side]]:
    one, other = before.value, after.value
    if one == other:
        return
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in dict.fromkeys([*one, *other]):
            yield from _differences(f"{path}.{key}" if path else str(key), before.get(key), after.get(key))
        return
    names = [_named(items) for items in (one, other) if isinstance(items, list)]
    if len(names) == 2 and None not in names:
        for key in dict.fromkeys(key for items in names for key in items or {}):
            yield from _differences(f"{path}[{key}]", before.get(key), after.get(key))
        return
    yield path, before, after


def _named(items: list[Any]) -> dict[str, Any] | None:
    """Entries of a list by name; None where they have none, or not each its own."""
    names = [item.get("name") for item in items if isinstance(item, Mapping)]
    if len(names) != len(items) or None in names or len(set(names)) != len(names):
        return None
    return {str(item["name"]): _nameless(item) for item in items}


def _nameless(item: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key != "name"}
