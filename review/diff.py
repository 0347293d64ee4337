"""The fields of an object that change, as text without secrets."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.base.diff import ABSENT, Keys, differences
from components.base.objects import Manifest
from review.preview import SECRET, UNKNOWN_TEXT
from review.redaction import redacted

_MAX_LENGTH = 120


@dataclass(frozen=True)
class FieldChange:
    """A field before and after a change, as text; None if it is absent."""

    path: str
    before: str | None
    after: str | None


def field_changes(before: Manifest, after: Manifest) -> list[FieldChange]:
    """The fields in which two versions of an object differ. A secret that changes is listed without its values."""
    redacted_before, redacted_after = redacted(before), redacted(after)
    return [
        FieldChange(
            difference.path,
            None if difference.before is ABSENT else _text(redacted_before, difference.before_keys),
            None if difference.after is ABSENT else _text(redacted_after, difference.after_keys),
        )
        for difference in differences(before, after)
    ]


def _text(manifest: Any, keys: Keys) -> str:
    """The value of a field, abbreviated. The name of a list item is part of its path, and is left out."""
    value = manifest
    for key in keys:
        if value == SECRET:
            break
        value = value[key]
    if isinstance(keys[-1], int) and isinstance(value, Mapping):
        value = {key: item for key, item in value.items() if key != "name"}
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text.replace(UNKNOWN_TEXT, "(unknown before the update)")
    return text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]}…"
