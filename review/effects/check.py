"""All checks of the objects of a cluster before and after a change. They are pure: nothing is queried."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from components.base.objects import Manifest
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
    shown = surface(old, new)
    changed_rights = rights(old, new)
    compared = reachability(old, new)
    messages = [
        *dangling(old, new, complete=bool(live), unreadable=unreadable),
        *selectors(old, new),
        *memory(old, new),
        *startup(old, new, live),
        *secrets(old, new),
        *exposure(shown, old, new),
        *(isolation(compared) if compared else ()),
        *escalation(changed_rights, old, new),
    ]
    unique = list({message.text: message for message in messages}.values())
    return Effects(
        problems=tuple(message for message in unique if message.kind.group == "problem"),
        warnings=tuple(message for message in unique if message.kind.group == "warning"),
        notes=tuple(message for message in unique if message.kind.group == "note"),
        surface=tuple(shown),
        reachability=tuple(compared.changes() if compared else ()),
        rights=tuple(changed_rights),
    )
