"""The objects of a cluster after a change: those of before, with the steps of a preview applied."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.base.objects import Manifest
from review.effects.world import Key, key_of
from review.preview import Step, with_unknown


def applied(live: Sequence[Manifest], steps: Sequence[Step]) -> list[Manifest]:
    """The objects after the steps. Fields that the stack does not set keep their values."""
    found: dict[Key | int, Manifest] = {key_of(manifest) or id(manifest): manifest for manifest in live}
    for step in steps:
        if not step.is_change:
            continue
        before = with_unknown(step.before) if step.before else None
        after = with_unknown(step.after) if step.after else None
        key, new = (key_of(manifest) if manifest else None for manifest in (before, after))
        if key and (step.op == "replace" or new != key):
            found.pop(key, None)
        if after is not None:
            current = found.get(new) if new else None
            found[new or id(step)] = after if current is None else _merged(current, before or {}, after)
    return list(found.values())


def _merged(live: Any, before: Any, after: Any) -> Any:
    """A part of an object as server-side apply merges it: without the fields that the stack no longer sets."""
    if not isinstance(live, Mapping) or not isinstance(after, Mapping):
        return after
    earlier = before if isinstance(before, Mapping) else {}
    kept = {key: value for key, value in live.items() if key in after or key not in earlier}
    return {
        **kept,
        **{key: _merged(live[key], earlier.get(key), value) if key in live else value for key, value in after.items()},
    }
