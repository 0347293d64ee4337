"""The known part of objects: without values that are null, or unknown before deployment."""

from collections.abc import Iterable, Mapping
from typing import Any

from components.base.objects import UNKNOWN, WORKLOADS, Manifest

# Fields whose values do not decide how other fields are understood. A null value is an absent one.
_DETAILS = {"annotations", "binaryData", "data", "stringData", "status"}
_SETTINGS = {"binaryData", "data", "stringData"}
# Fields that select pods or are selected: without a part of them, they would mean something else.
_SELECTING = {"labels", "selector", "matchLabels", "matchExpressions"}


def known(manifests: Iterable[Manifest]) -> tuple[list[Manifest], list[Manifest]]:
    """Objects without unknown values, and those of which too much is unknown to check them."""
    certain, uncertain = [], []
    for manifest in manifests:
        if not _has_gap(manifest):
            certain.append(manifest)
        elif _is_uncertain(manifest):
            uncertain.append(manifest)
        else:
            certain.append(_without_gaps(manifest))
    return certain, uncertain


def _has_gap(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_gap, value.values()))
    if isinstance(value, list):
        return any(map(_has_gap, value))
    return value is None or value is UNKNOWN


def _is_uncertain(manifest: Manifest) -> bool:
    """Whether an unknown value decides what the object is or does."""
    return _has_unknown(manifest, "", _SELECTING if manifest["kind"] in WORKLOADS else None)


def _has_unknown(value: Any, name: str, only: set[str] | None) -> bool:
    """Whether a value is unknown: anywhere, or in some fields only."""
    if value is UNKNOWN:
        return only is None or name in only or name in {"metadata", "spec", "template"}
    if isinstance(value, Mapping):
        inside = None if only is None or name in only else only
        return any(_has_unknown(item, key, inside) for key, item in value.items() if key not in _DETAILS)
    return isinstance(value, list) and any(_has_unknown(item, name, only) for item in value)


def _without_gaps(value: Any, name: str = "") -> Any:
    if isinstance(value, Mapping):
        return {
            key: "" if item is UNKNOWN else _without_gaps(item, key)
            for key, item in value.items()
            # The key of a setting exists, whatever its value is.
            if item is not None and (item is not UNKNOWN or name in _SETTINGS)
        }
    if isinstance(value, list):
        return [_without_gaps(item) for item in value if item is not None and item is not UNKNOWN]
    return value
