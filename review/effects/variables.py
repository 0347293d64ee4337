"""References to variables in the settings of containers: ``$(NAME)``, which the kubelet replaces."""

import re
from collections.abc import Iterator

from components.base.objects import Manifest, containers, pod_templates, target
from review import effect_messages as messages
from review.effects.dangling import named
from review.effects.world import World, changed
from review.messages import Message

# In capital letters: $(date) in a script is a command. $$(NAME) is escaped.
_REFERENCE = re.compile(r"(?<!\$)\$\(([A-Z][A-Z0-9_]*)\)")


def variables(old: World, new: World) -> Iterator[Message]:
    """Report references to variables that a change introduces or breaks: programs get them as they are written."""
    for _, before, after in changed(old, new):
        if after is None:
            continue
        known = {message.text for message in _undefined(before)} if before else set()
        yield from (message for message in _undefined(after) if message.text not in known)


def _undefined(manifest: Manifest) -> Iterator[Message]:
    for template in pod_templates(manifest):
        for container in containers(template.get("spec") or {}):
            if container.get("envFrom"):  # its names are not all known
                continue
            defined: set[str] = set()
            missing: dict[str, None] = {}
            for variable in container.get("env") or []:
                # A variable can refer to those before it.
                missing.update(dict.fromkeys(_names([variable.get("value")], defined)))
                defined.add(str(variable.get("name")))
            settings = [*(container.get("command") or []), *(container.get("args") or [])]
            missing.update(dict.fromkeys(_names(settings, defined)))
            if missing:
                yield messages.VARIABLE_NOT_DEFINED(
                    target=target(manifest), container=container.get("name"), variables=named(list(missing))
                )


def _names(texts: list[object], defined: set[str]) -> list[str]:
    """The names that texts refer to, and that are not defined."""
    return [name for text in texts if isinstance(text, str) for name in _REFERENCE.findall(text) if name not in defined]
