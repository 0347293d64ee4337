"""Edits of plain manifests, by path.

A path is a JSON Pointer without the leading slash, from a mapping of names to objects. Numbers are list indices, and
``~1`` stands for a slash within a key: ``Namespace/metadata/labels/pod-security.kubernetes.io~1enforce``.
"""

import copy
from collections.abc import Callable
from typing import Any

Objects = dict[str, dict[str, Any]]
Edit = Callable[[Objects], object]


def put(path: str, value: Any) -> Edit:
    """Set a value. Missing mappings on the path are created."""
    *parents, last = _segments(path)

    def edit(objects: Objects) -> None:
        parent: Any = objects
        for segment in parents:
            parent = parent.setdefault(segment, {}) if isinstance(parent, dict) else parent[segment]
        parent[last] = value

    return edit


def append(path: str, item: Any) -> Edit:
    """Append an item to a list."""
    segments = _segments(path)

    def edit(objects: Objects) -> None:
        items: Any = objects
        for segment in segments:
            items = items[segment]
        items.append(item)

    return edit


def drop(path: str) -> Edit:
    """Remove a field, or a whole object."""
    *parents, last = _segments(path)

    def edit(objects: Objects) -> None:
        parent: Any = objects
        for segment in parents:
            parent = parent[segment]
        del parent[last]

    return edit


def every(*edits: Edit) -> Edit:
    """Several edits, one after the other; none of them: no change."""

    def edit(objects: Objects) -> None:
        for one in edits:
            one(objects)

    return edit


def edited(objects: Objects, *edits: Edit) -> Objects:
    """A copy of the objects with edits."""
    result = copy.deepcopy(objects)
    every(*edits)(result)
    return result


def _segments(path: str) -> list[Any]:
    return [int(part) if part.isdigit() else part.replace("~1", "/") for part in path.split("/")]
