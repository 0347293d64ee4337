"""The addresses in the settings of programs: variables, arguments and the ConfigMaps that pods use."""

import re
from collections.abc import Iterator
from typing import Any

from components.base.objects import containers
from review.effects.references import references
from review.effects.world import Key, Pods, World

_URL = re.compile(r"\b[a-z][a-z0-9+]*://(?:[^/\s@]*@)?([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)")
_IN_CLUSTER = re.compile(r"\.(svc|local|internal)$|\.svc\.")


def settings(world: World) -> Iterator[tuple[Key, str]]:
    """The texts that configure programs, each with the object that has it."""
    for pods in world.pods:
        yield from ((pods.key, text) for text in texts_of(pods))
    for key, manifest in world.items("ConfigMap"):
        data: Any = manifest.get("data")
        if isinstance(data, dict):
            yield from ((key, value) for value in data.values() if isinstance(value, str))


def texts_of(pods: Pods) -> Iterator[str]:
    """The variables and arguments of pods."""
    for container in containers(pods.spec):
        values = [*(container.get("command") or []), *(container.get("args") or [])]
        values += [variable.get("value") for variable in container.get("env") or []]
        yield from (value for value in values if isinstance(value, str))


def settings_of(pods: Pods, world: World) -> list[str]:
    """The texts that configure pods, with the ConfigMaps that they use."""
    found = list(texts_of(pods))
    for one in references(pods.manifest):
        if one.key.kind == "ConfigMap":
            data = (world.objects.get(one.key) or {}).get("data")
            if isinstance(data, dict):
                found += [value for value in data.values() if isinstance(value, str)]
    return found


def mentions(text: str, service: Key, namespace: str, port: str = "") -> bool:
    """Whether a text of a namespace has the address of a Service: ``name:80``, ``//name`` or ``name.namespace``.

    ``port`` is a pattern of port numbers; without it, any address of the Service counts.
    """
    if service.name not in text:
        return False
    name = rf"(?<![\w.-]){re.escape(service.name)}"
    qualified = rf"{name}\.{re.escape(service.namespace)}(?:\.svc(?:\.[\w.-]+?)?)?"
    if re.search(qualified + (rf":(?:{port})(?!\d)" if port else r"(?![\w-])"), text):
        return True
    if namespace != service.namespace:
        return False
    bare = [rf"{name}:(?:{port or '[0-9]+'})(?!\d)"]
    bare += [] if port else [rf"//{name}(?![\w.-])", rf"^{name}$"]
    return any(re.search(pattern, text) for pattern in bare)


def external_hosts(text: str) -> list[str]:
    """The hosts outside of the cluster in the URLs of a text."""
    return [host for host in _URL.findall(text) if not _IN_CLUSTER.search(host)]
