"""Secrets in plain text, anywhere in an object, that a change introduces."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from components.base.objects import Manifest
from policies.secret_names import names_secret
from review import effect_messages as messages
from review.effects.dangling import named
from review.effects.world import World, changed, is_built_in
from review.messages import Message
from review.redaction import is_bare_flag, named_secrets
from review.secret_formats import has_secret_format, is_placeholder, is_random

# Parts of objects that users do not write, or that hold secrets by design.
_NOT_READ = {"managedFields", "ownerReferences", "status", "openAPIV3Schema", "caBundle"}
# References to variables within a text: $(PASSWORD), ${PASSWORD}, {{ password }}.
_VARIABLE = re.compile(r"\$\([^)]*\)|\$?\{+[^}]*\}+")
# The annotation in which kubectl keeps a copy of the object.
_COPY = "kubectl.kubernetes.io/last-applied-configuration"


def secrets(old: World, new: World) -> Iterator[Message]:
    """Report values in plain text that are new and look like secrets. Secret objects may hold them."""
    names: dict[str, set[str]] = defaultdict(set)
    for key in new.objects:
        if key.kind == "Secret":
            names[key.namespace].add(key.name)
    for key, before, after in changed(old, new):
        if after is None or key.kind == "Secret":
            continue
        known = dict(plain_secrets(before, names[key.namespace])) if before else {}
        found = [
            path
            for path, value in plain_secrets(after, names[key.namespace])
            if known.get(path) != value and value not in known.values()
        ]
        if found:
            yield messages.SECRET_IN_PLAIN_TEXT(target=str(key), fields=named(list(dict.fromkeys(found))))


def plain_secrets(manifest: Manifest, secret_objects: Collection[str] = ()) -> Iterator[tuple[str, str]]:
    """Path and value of what looks like a secret in plain text. The names of Secret objects are not secret."""
    is_config = manifest["kind"] == "ConfigMap" or not is_built_in(manifest)
    for path, value in _walk(manifest, "", is_config=is_config):
        if value not in secret_objects:
            yield path, value


def _walk(value: Any, path: str, *, is_config: bool) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        name = value.get("name")
        for key, item in value.items():
            label = f"{path}.{key}".lstrip(".")
            if key in _NOT_READ or key == _COPY:
                continue
            if not isinstance(item, str):
                yield from _walk(item, label, is_config=is_config)
            elif key == "value" and isinstance(name, str):
                # The policy rule no-secret-in-env checks the names of variables, with its exemptions.
                yield from _of_text(item, path, "" if ".env[" in path and names_secret(name) else name)
            else:
                yield from _of_text(item, label, str(key) if _is_setting(path, is_config=is_config) else "")
    elif isinstance(value, list):
        flag = ""
        for index, item in enumerate(value):
            if isinstance(item, str):
                yield from _of_text(item, f"{path}[{index}]", flag)
                flag = item if is_bare_flag(item) else ""
            else:
                own = item.get("name") if isinstance(item, Mapping) else None
                yield from _walk(item, f"{path}[{own if isinstance(own, str) else index}]", is_config=is_config)


def _is_setting(path: str, *, is_config: bool) -> bool:
    """Whether the keys of a mapping are names that users choose, not fields of the API."""
    return path.endswith("annotations") or (is_config and path in {"data", "spec.values"})


def _of_text(text: str, path: str, name: str) -> Iterator[tuple[str, str]]:
    if is_placeholder(text):
        return
    if (
        (name and names_secret(name.lstrip("-")))
        or has_secret_format(_VARIABLE.sub("", text))
        or (name and is_random(text))
    ):
        yield path, text
        return
    for start, end in named_secrets(text):
        if not is_placeholder(text[start:end]):
            yield path, text[start:end]
