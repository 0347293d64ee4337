"""What may be shown. A secret in the wrong place is hidden here, whatever Pulumi thinks of it."""

import re
from collections.abc import Mapping
from typing import Any

from policies.secret_names import names_secret
from review.preview import SECRET

# Values that are secrets whatever they are called: tokens of well-known makers, keys, passwords in addresses.
_SECRET_VALUE = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|\b(hf_|gh[opsur]_|github_pat_|glpat-|sk-|xox[abprs]-|AKIA|ASIA|pul-)[A-Za-z0-9_-]{8,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.|://[^/\s:@]*:[^/\s@]+@"
)
# A whole argument: --hf_token, --hf_token=VALUE.
_ARGUMENT = re.compile(r"--?(?P<name>[A-Za-z][\w.-]*)(?P<value>[= ].+)?", re.DOTALL)
# In a text: the name of a flag or of something else, and its value as a shell, YAML or JSON writes one,
# quoted parts and blocks of lines included.
_NAME = re.compile(r"(?P<flag>(?<![\w.-])--?)?(?<![\w.])[A-Za-z_][\w.-]*")
_VALUE = r"""(?:[|>][-+]?[ \t]*(?:\n[ \t]+[^\n]*)+|(?:"(?:\\.|[^"\\])*"?|'[^']*'?|\\.|[^\s"'\\])+)"""
_GIVEN = re.compile(rf"""(?::\s+|[ \t]*=[ \t]*|\\?["']\s*:\s*)(?P<value>{_VALUE})""", re.DOTALL)
_GIVEN_TO_FLAG = re.compile(rf"""(?:=|\\?["'],\s*|(?:\s|\\\n)+(?!-))(?P<value>{_VALUE})""", re.DOTALL)
_START_OF_LINE = re.compile(r"(?:^|\n)[ \t]*$")
_AUTHORIZATION = re.compile(r"""(\bbearer\s+|\bauthorization["']?\s*[:=]\s*["']?[\w-]+\s+)[^\s"']+""", re.IGNORECASE)


def shown(value: Any) -> Any:
    """A part of a manifest without what is, or looks like, a secret."""
    if isinstance(value, Mapping):
        if value.get("kind") == "Secret":
            hidden = {key: dict.fromkeys(value[key], SECRET) for key in ("data", "stringData") if value.get(key)}
            return {**{key: shown(item) for key, item in value.items()}, **hidden}
        if "value" in value and names_secret(str(value.get("name", ""))):
            return {**value, "value": SECRET}
        return {
            key: SECRET if isinstance(item, str) and names_secret(str(key)) else shown(item)
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
    match = _ARGUMENT.fullmatch(item)
    return match is not None and match["value"] is None and names_secret(match["name"])


def text(value: str) -> str:
    """A text with SECRET in place of what is a secret in it; SECRET alone where its ends are not known."""
    match = _ARGUMENT.fullmatch(value)
    if match is not None and match["value"] and names_secret(match["name"]):
        return value[: match.start("value") + 1] + SECRET
    return SECRET if _SECRET_VALUE.search(value) else _without_named(_AUTHORIZATION.sub(rf"\1{SECRET}", value))


def _without_named(value: str) -> str:
    """A text without the values of what is named like a secret: ``export HF_TOKEN=…``, ``password: …``."""
    parts, end = [], 0
    for name in _NAME.finditer(value):
        if name.start() < end or not names_secret(name[0]):
            continue
        given = (name["flag"] and _GIVEN_TO_FLAG.match(value, name.end())) or _GIVEN.match(value, name.end())
        if given:
            parts += [value[end : given.start("value")], SECRET]
            end = given.end()
            # YAML and files of variables quote nothing: there, a value lasts as long as its line.
            if value[name.end()] == ":" or _START_OF_LINE.search(value, 0, name.start()):
                end = _end_of_line(value, end)
    return "".join(parts) + value[end:]


def _end_of_line(value: str, start: int) -> int:
    end = value.find("\n", start)
    return len(value) if end < 0 else end
