"""Redaction of secrets in manifests: also of those that are not marked as secrets in Pulumi."""

import re
from collections.abc import Mapping
from typing import Any

from policies.secret_names import names_secret
from review.preview import SECRET

# Secret values under any name: tokens of well-known providers, private keys, passwords in URLs.
_SECRET_VALUE = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|\b(hf_|gh[opsur]_|github_pat_|glpat-|sk-|xox[abprs]-|AKIA|ASIA|pul-)[A-Za-z0-9_-]{8,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.|://[^/\s:@]*:[^/\s@]+@"
)
# A whole command-line argument: --hf_token, --hf_token=VALUE.
_ARGUMENT = re.compile(r"--?(?P<name>[A-Za-z][\w.-]*)(?P<value>[= ].+)?", re.DOTALL)
# Within a text: a name or a flag, and its value in the syntax of a shell, YAML or JSON, including quoted parts and
# block scalars.
_NAME = re.compile(r"(?P<flag>(?<![\w.-])--?)?(?<![\w.])[A-Za-z_][\w.-]*")
_VALUE = r"""(?:[|>][-+]?[ \t]*(?:\n[ \t]+[^\n]*)+|(?:"(?:\\.|[^"\\])*"?|'[^']*'?|\\.|[^\s"'\\])+)"""
_ASSIGNED = re.compile(rf"""(?::\s+|[ \t]*=[ \t]*|\\?["']\s*:\s*)(?P<value>{_VALUE})""", re.DOTALL)
_FLAG_VALUE = re.compile(rf"""(?:=|\\?["'],\s*|(?:\s|\\\n)+(?!-))(?P<value>{_VALUE})""", re.DOTALL)
_START_OF_LINE = re.compile(r"(?:^|\n)[ \t]*$")
_AUTHORIZATION = re.compile(r"""(\bbearer\s+|\bauthorization["']?\s*[:=]\s*["']?[\w-]+\s+)[^\s"']+""", re.IGNORECASE)


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
        flagged = [False, *(isinstance(item, str) and _is_bare_flag(item) for item in value)]
        return [
            SECRET if after and isinstance(item, str) else redacted(item)
            for after, item in zip(flagged, value, strict=False)
        ]
    return _redacted_text(value) if isinstance(value, str) else value


def _is_bare_flag(item: str) -> bool:
    """Whether an argument is a flag such as ``--token``, whose value is the next argument."""
    match = _ARGUMENT.fullmatch(item)
    return match is not None and match["value"] is None and names_secret(match["name"])


def _redacted_text(value: str) -> str:
    """A text with SECRET in place of the secrets in it; SECRET alone if it is unknown where a secret ends."""
    match = _ARGUMENT.fullmatch(value)
    if match is not None and match["value"] and names_secret(match["name"]):
        return value[: match.start("value") + 1] + SECRET
    return SECRET if _SECRET_VALUE.search(value) else _without_named(_AUTHORIZATION.sub(rf"\1{SECRET}", value))


def _without_named(value: str) -> str:
    """A text without the values of names that indicate a secret: ``export HF_TOKEN=…``, ``password: …``."""
    parts, end = [], 0
    for name in _NAME.finditer(value):
        if name.start() < end or not names_secret(name[0]):
            continue
        assigned = (name["flag"] and _FLAG_VALUE.match(value, name.end())) or _ASSIGNED.match(value, name.end())
        if assigned:
            parts += [value[end : assigned.start("value")], SECRET]
            end = assigned.end()
            # In YAML and in env files, an unquoted value extends to the end of the line.
            if value[name.end()] == ":" or _START_OF_LINE.search(value, 0, name.start()):
                end = _end_of_line(value, end)
    return "".join(parts) + value[end:]


def _end_of_line(value: str, start: int) -> int:
    end = value.find("\n", start)
    return len(value) if end < 0 else end
