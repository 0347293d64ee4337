"""The effects of a change on what others use, computed from all objects of a cluster before and after it."""

from review.effects.check import Effects, check

__all__ = ["Effects", "check"]
