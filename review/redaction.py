"""Redaction of secrets in manifests: also of those that are not marked as secrets in Pulumi."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from policies.secret_names import names_secret
from review.preview import SECRET
from review.secret_formats import has_secret_format

# A whole command-line argument: --hf_token, --hf_token=VALUE.
_ARGUMENT = re.compile(r"--?(?P<name>[A-Za-z][\w.-]*)(?P<value>[= ].+)?", re.DOTALL)
# Within a text: a name or a flag, and its value in the syntax of a shell, YAML or JSON, including quoted parts and
# block scalars.
_NAME = re.compile(r"(?P<flag>(?<![\w.-])--?)?(?<![\w.])[A-Za-z_][\w.-]*")
_VALUE = r"""(?:[|>][-+]?[ \t]*(?:\n[ \t]+[^\n]*)+|(?:"(?:\\.|[^"\\])*"?|'[^']*'?|\\.|[^\s"'\\])+)"""
_ASSIGNED = re.compile(rf"""(?::\s+|[ \t]*=[ \t]*|\\?["']\s*:\s*)(?P<value>{_VALUE})""", re.DOTALL)
_FLAG_VALUE = re.compile(rf"""(?:=|\\?["'],\s*|(?:\s|\\\n)+(?!-))(?P<value>{_VALUE})""", re.DOTALL)
_START_OF_LINE = re.compile(r"(?:^|\n)[ \t]*$")
_AUTHORIZATION = re.compile(
    r"""(?:\bbearer\s+|\bauthorization["']?\s*[:=]\s*["']?[\w-]+\s+)(?P<value>[^\s"']+)""", re.IGNORECASE
)


def redacted(value: Any) -> Any:
    """A part of a manifest with ``[secret]`` in place of values that are or look like secrets."""
    if isinstance(value, Mapping):
        if value.get("kind") == "Secret":
            hidden = {key: dict.fromkeys(value[key], SECRET) for key in ("data", "stringData") if value.get(key)}
            return {**{key: redacted(item) for key, item in value.items()}, **hidden}
        if "value" in value and names_secret(str(value.get("name", ""))):
            return {**value, "value": SECRET}
        return {
            key: SECRET if isinstance(item, str) and names_secret(str(key)) else redacted(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        flagged = [False, *(isinstance(item, str) and is_bare_flag(item) for item in value)]
        return [
            SECRET if after and isinstance(item, str) else redacted(item)
            for after, item in zip(flagged, value, strict=False)
        ]
    return _redacted_text(value) if isinstance(value, str) else value


def is_bare_flag(item: str) -> bool:
    """Whether an argument is a flag such as ``--token``, whose value is the next argument."""
    match = _ARGUMENT.fullmatch(item)
    return match is not None and match["value"] is None and names_secret(match["name"])


def _redacted_text(value: str) -> str:
    """A text with SECRET in place of the secrets in it; SECRET alone if it is unknown where a secret ends."""
    if has_secret_format(value):
        return SECRET
    parts, end = [], 0
    for start, stop in named_secrets(value):
        parts += [value[end:start], SECRET]
        end = stop
    return "".join(parts) + value[end:]


def named_secrets(value: str) -> Iterator[tuple[int, int]]:
    """Start and end of the values in a text whose names indicate secrets, or that follow ``Authorization``.

    ``--hf-token=…``, ``export HF_TOKEN=…``, ``password: …``.
    """
    match = _ARGUMENT.fullmatch(value)
    if match is not None and match["value"] and names_secret(match["name"]):
        yield match.start("value") + 1, len(value)
        return
    found = [match.span("value") for match in _AUTHORIZATION.finditer(value)]
    found += _assigned(value)
    end = 0
    for start, stop in sorted(found):
        if start >= end:
            yield start, stop
            end = stop


def _assigned(value: str) -> Iterator[tuple[int, int]]:
    """Start and end of the values of names that indicate a secret: ``export HF_TOKEN=…``, ``password: …``."""
    end = 0
    for name in _NAME.finditer(value):
        if name.start() < end or not names_secret(name[0]):
            continue
        assigned = (name["flag"] and _FLAG_VALUE.match(value, name.end())) or _ASSIGNED.match(value, name.end())
        if assigned:
            start, end = assigned.span("value")
            # In YAML and in env files, an unquoted value extends to the end of the line.
            if value[name.end()] == ":" or _START_OF_LINE.search(value, 0, name.start()):
                end = _end_of_line(value, end)
            yield start, end


def _end_of_line(value: str, start: int) -> int:
    end = value.find("\n", start)
    return len(value) if end < 0 else end
