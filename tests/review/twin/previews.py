"""Previews of changes of plain manifests, without an engine."""

from collections.abc import Mapping

from components.base.objects import Manifest
from review.preview import Preview, Step

MANAGER = {"pulumi.com/patchFieldManager": "twin-test"}


def preview_of(
    before: Mapping[str, Manifest], after: Mapping[str, Manifest], *, replaced: frozenset[str] = frozenset()
) -> Preview:
    """The preview of a change: name → object. Deletions come last, as in the engine's output."""
    steps = [
        Step(_operation(name, before, after, replaced), name, "", before.get(name), after.get(name), {})
        for name in dict.fromkeys([*before, *after])
    ]
    steps.sort(key=lambda step: step.op == "delete")
    return Preview("test", tuple(steps), (), (), {})


def _operation(
    name: str, before: Mapping[str, Manifest], after: Mapping[str, Manifest], replaced: frozenset[str]
) -> str:
    if name not in before:
        return "create"
    if name not in after:
        return "delete"
    if name in replaced:
        return "replace"
    return "same" if before[name] == after[name] else "update"
