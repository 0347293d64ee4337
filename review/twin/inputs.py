"""The objects of a preview as the twin's API server accepts them: values that are unknown before the update."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.base.objects import Manifest
from review.preview import SECRET, UNKNOWN_TEXT

_ABSENT: Any = object()
# The value of a Secret's key, in base64: "placeholder".
_PLACEHOLDER = "cGxhY2Vob2xkZXI="


@dataclass(frozen=True)
class Known:
    """An object without unknown values."""

    manifest: Manifest
    omitted: tuple[str, ...]
    """The fields that were unknown and have no current value: they are left out."""


def known(manifest: Manifest, current: Manifest | None) -> Known:
    """An object in which unknown and secret values have the value of the current object.

    Without a current value, the keys of a Secret get a placeholder, and other fields are left out.
    """
    omitted: list[str] = []
    if manifest["kind"] == "Secret":
        manifest = _secret(manifest, current or {})
    found: Manifest = _known(manifest, {} if current is None else current, "", omitted)
    return Known(found, tuple(omitted))


def _is_unknown(value: Any) -> bool:
    return isinstance(value, str) and value in (UNKNOWN_TEXT, SECRET)


def _known(value: Any, current: Any, path: str, omitted: list[str]) -> Any:
    if _is_unknown(value):
        if current is _ABSENT or current is None:
            omitted.append(path)
            return _ABSENT
        return current
    if isinstance(value, Mapping):
        below = current if isinstance(current, Mapping) else {}
        items = {
            name: _known(item, below.get(name, _ABSENT), f"{path}.{name}" if path else name, omitted)
            for name, item in value.items()
        }
        return {name: item for name, item in items.items() if item is not _ABSENT}
    if isinstance(value, list):
        matched = (
            _known(item, _matching(item, index, current), f"{path}[{index}]", omitted)
            for index, item in enumerate(value)
        )
        return [item for item in matched if item is not _ABSENT]
    return value


def _matching(item: Any, index: int, current: Any) -> Any:
    """The item of the current list with the same name, or at the same index if items have no names."""
    if not isinstance(current, list):
        return _ABSENT
    if isinstance(item, Mapping) and isinstance(item.get("name"), str):
        return next((one for one in current if isinstance(one, Mapping) and one.get("name") == item["name"]), _ABSENT)
    return current[index] if index < len(current) else _ABSENT


def _secret(manifest: Manifest, current: Manifest) -> Manifest:
    """A Secret with placeholders: its values are never needed, and a snapshot does not have them."""
    result = {name: value for name, value in manifest.items() if name not in {"data", "stringData"}}
    data: dict[str, str] = {}
    for field in ("data", "stringData"):
        values = manifest.get(field)
        if _is_unknown(values):
            data |= dict.fromkeys(current.get("data") or {}, _PLACEHOLDER)
        elif isinstance(values, Mapping):
            data |= dict.fromkeys(values, _PLACEHOLDER)
    existing = current.get("data") or {}
    return {**result, "data": {name: existing.get(name, value) for name, value in data.items()}} if data else result
