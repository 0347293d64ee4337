"""What changes in an object, field by field."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from review.preview import UNKNOWN_TEXT, Manifest
from review.secrets import shown

_ABSENT = object()
_LONGEST = 120


@dataclass(frozen=True)
class FieldChange:
    """One field, before and after, as text; None: it is not there."""

    path: str
    before: str | None
    after: str | None


def changes(before: Manifest, after: Manifest) -> list[FieldChange]:
    """The fields in which two versions of an object differ.

    Entries of lists are told by their name, where they have one, so that a container in between moves nothing.
    """
    return [
        FieldChange(path, _text(one), _text(other))
        for path, one, other in _differences("", shown(before), shown(after))
    ] + _hidden(before, after)


def _hidden(before: Manifest, after: Manifest) -> list[FieldChange]:
    """That a secret changes, though neither value may be shown."""
    paths = [path for path, _, _ in _differences("", before, after)]
    told = [path for path, _, _ in _differences("", shown(before), shown(after))]
    return [
        FieldChange(path, "[secret]", "[another secret]")
        for path in paths
        if not any(path == other or other.startswith(path) or path.startswith(other) for other in told)
    ]


def _differences(path: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys([*before, *after]):
            inner = f"{path}.{key}" if path else str(key)
            yield from _differences(inner, before.get(key, _ABSENT), after.get(key, _ABSENT))
    elif isinstance(before, list) and isinstance(after, list):
        one, other = _named(before), _named(after)
        if one is None or other is None:
            yield path, before, after
        else:
            for key in dict.fromkeys([*one, *other]):
                yield from _differences(f"{path}[{key}]", one.get(key, _ABSENT), other.get(key, _ABSENT))
    else:
        yield path, before, after


def _named(items: list[Any]) -> dict[str, Any] | None:
    """Entries of a list by name; None where they have none, or not each its own."""
    names = [item.get("name") for item in items if isinstance(item, Mapping)]
    if len(names) != len(items) or None in names or len(set(names)) != len(names):
        return None
    return {str(item["name"]): {key: value for key, value in item.items() if key != "name"} for item in items}


def _text(value: Any) -> str | None:
    if value is _ABSENT:
        return None
    if value == UNKNOWN_TEXT:
        return "(known after up)"
    told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    told = told.replace(UNKNOWN_TEXT, "(known after up)")
    return told if len(told) <= _LONGEST else f"{told[:_LONGEST]}…"
