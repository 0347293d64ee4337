"""The fields in which two versions of an object differ."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

ABSENT: Any = object()
"""In place of a value: the field does not exist on that side."""

Keys = tuple[str | int, ...]


@dataclass(frozen=True)
class Difference:
    """A field that differs."""

    path: str
    """For display: ``spec.containers[server].image``."""

    before: Any
    after: Any
    before_keys: Keys
    """The keys and list indices that lead to the field before; those after differ where a list item moved."""

    after_keys: Keys


def differences(
    before: Any, after: Any, *, by_index: bool = False, ignore: Callable[[Any], bool] = lambda _: False
) -> Iterator[Difference]:
    """The differences between two values, at the deepest level.

    A field that is null equals one that is absent. List items are matched by their ``name``, as Kubernetes merges
    containers, variables and volumes, if every item has a distinct one. Any other list is one value; with
    ``by_index``, its items are compared one by one, and a change in the order of named items is a difference too.
    Values for which ``ignore`` is true equal all others.
    """
    return _Comparison(by_index, ignore).of("", (), (), before, after)


@dataclass(frozen=True)
class _Comparison:
    by_index: bool
    ignore: Callable[[Any], bool]

    def of(self, path: str, before_keys: Keys, after_keys: Keys, before: Any, after: Any) -> Iterator[Difference]:
        if self.ignore(before) or self.ignore(after):
            return
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            for key in dict.fromkeys([*before, *after]):
                inner = f"{path}.{key}" if path else str(key)
                sides = before.get(key, ABSENT), after.get(key, ABSENT)
                yield from self.of(inner, (*before_keys, key), (*after_keys, key), *sides)
            return
        olds, news = self._indices(before), self._indices(after)
        if olds is not None and news is not None:
            for name in dict.fromkeys([*olds, *news]):
                old, new = olds.get(name), news.get(name)
                yield from self.of(
                    f"{path}[{name}]",
                    before_keys if old is None else (*before_keys, old),
                    after_keys if new is None else (*after_keys, new),
                    ABSENT if old is None else before[old],
                    ABSENT if new is None else after[new],
                )
            if self.by_index and olds.keys() == news.keys() and list(olds) != list(news):
                yield Difference(path, before, after, before_keys, after_keys)
        elif (None if before is ABSENT else before) != (None if after is ABSENT else after):
            yield Difference(path, before, after, before_keys, after_keys)

    def _indices(self, items: Any) -> dict[str, int] | None:
        """The indices of list items by what identifies them; None if the list is compared as one value."""
        if not isinstance(items, list):
            return None
        named = [str(item["name"]) for item in items if isinstance(item, Mapping) and item.get("name") is not None]
        if len(named) == len(items) == len(set(named)):
            return {name: index for index, name in enumerate(named)}
        return {str(index): index for index in range(len(items))} if self.by_index else None
