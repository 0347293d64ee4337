"""What may be shown. A secret in the wrong place is hidden here, whatever Pulumi thinks of it."""

import re
from collections.abc import Mapping
from typing import Any

from policies.containers import SECRET_NAME
from review.preview import SECRET

# Values that are secrets whatever they are called: tokens of well-known makers, keys, passwords in addresses.
_SECRET_VALUE = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|\b(hf_|gh[opsur]_|github_pat_|glpat-|sk-|xox[abprs]-|AKIA|ASIA|pul-)[A-Za-z0-9_-]{8,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.|://[^/\s:@]+:[^/\s@]+@"
)
_SECRET_FLAG = re.compile(r"--?[a-z-]*(token|password|passwd|secret|api-?key)([= ].+)?$", re.IGNORECASE)


def shown(value: Any) -> Any:
    """A part of a manifest without what is, or looks like, a secret."""
    if isinstance(value, Mapping):
        if value.get("kind") == "Secret":
            hidden = {key: dict.fromkeys(value[key], SECRET) for key in ("data", "stringData") if value.get(key)}
            return {**{key: shown(item) for key, item in value.items()}, **hidden}
        if "value" in value and SECRET_NAME.search(str(value.get("name", "")).upper()):
            return {**value, "value": SECRET}
        return {
            key: SECRET if isinstance(item, str) and SECRET_NAME.search(str(key).upper()) else shown(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        flagged = [False, *(isinstance(item, str) and _is_bare_flag(item) for item in value)]
        return [
            SECRET if after and isinstance(item, str) else shown(item)
            for after, item in zip(flagged, value, strict=False)
        ]
    return text(value) if isinstance(value, str) else value


def _is_bare_flag(item: str) -> bool:
    """Whether the next argument is the value of a flag such as ``--token``."""
    match = _SECRET_FLAG.fullmatch(item)
    return match is not None and match[2] is None


def text(value: str) -> str:
    """A text, or SECRET where it is one or has one in it."""
    match = _SECRET_FLAG.fullmatch(value)
    if match is not None and match[2]:
        return value[: -len(match[2]) + 1] + SECRET
    return SECRET if _SECRET_VALUE.search(value) else value
