"""All checks of the objects of a cluster before and after a change. They are pure: nothing is queried."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from components.base.objects import Manifest
from review import effect_messages as messages
from review.effects.autoscalers import autoscalers
from review.effects.backends import backends
from review.effects.dangling import dangling
from review.effects.escalation import escalation
from review.effects.exposure import exposure
from review.effects.isolation import isolation
from review.effects.memory import memory
from review.effects.reachability import ReachabilityChange, reachability
from review.effects.rights import RightsChange, rights
from review.effects.secrets import secrets
from review.effects.selectors import selectors
from review.effects.startup import startup
from review.effects.surface import SurfaceChange, surface
from review.effects.variables import variables
from review.effects.world import worlds
from review.messages import Message


@dataclass(frozen=True)
class Effects:
    """What a change does to others."""

    problems: tuple[Message, ...] = ()
    warnings: tuple[Message, ...] = ()
    notes: tuple[Message, ...] = ()
    surface: tuple[SurfaceChange, ...] = ()
    reachability: tuple[ReachabilityChange, ...] = ()
    rights: tuple[RightsChange, ...] = ()


def check(
    before: Sequence[Manifest],
    after: Sequence[Manifest],
    live: Sequence[Manifest] = (),
    *,
    unreadable: Collection[str] = (),
) -> Effects:
    """Check all objects of a cluster before and after a change, or only those of a stack.

    ``live`` are the objects of the whole cluster with their status; empty if only the stack's objects are known. Then
    nothing is reported that depends on others. ``unreadable`` are the kinds that could not be read.
    """
    old, new = worlds(before, after)
    notes: list[Message] = []
    shown = _guarded(lambda: surface(old, new), notes)
    changed_rights = _guarded(lambda: rights(old, new), notes)
    compared = _guarded(lambda: reachability(old, new), notes)
    checks: list[Callable[[], Iterable[Message]]] = [
        lambda: dangling(old, new, complete=bool(live), unreadable=unreadable),
        lambda: selectors(old, new),
        lambda: backends(old, new, complete=bool(live)),
        lambda: autoscalers(old, new),
        lambda: variables(old, new),
        lambda: memory(old, new),
        lambda: startup(old, new, live),
        lambda: secrets(old, new),
        lambda: exposure(shown, old, new),
        lambda: (message for one in compared for message in isolation(one)),
        lambda: escalation(changed_rights, old, new),
    ]
    found = [message for one in checks for message in _guarded(one, notes)]
    unique = list({message.text: message for message in [*found, *notes]}.values())
    return Effects(
        problems=tuple(message for message in unique if message.kind.group == "problem"),
        warnings=tuple(message for message in unique if message.kind.group == "warning"),
        notes=tuple(message for message in unique if message.kind.group == "note"),
        surface=tuple(shown),
        reachability=tuple(change for one in compared for change in _guarded(one.changes, notes)),
        rights=tuple(changed_rights),
    )


T = TypeVar("T")


def _guarded(check: Callable[[], Iterable[T]], notes: list[Message]) -> list[T]:
    """The results of a check; a note if an object is invalid, which the API server reports."""
    try:
        return list(check())
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        notes.append(messages.INVALID_OBJECT(error=f"{type(error).__name__} {error}"))
        return []
