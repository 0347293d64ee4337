"""The table of warnings: arguments that are valid, and whose effect may be unexpected.

Its entries have the form of those of ``error_table``.
"""

from .errors import ErrorKind

ROLLOUT_INTERRUPTS = ErrorKind(
    "rollout-interrupts",
    "each new version interrupts the service until its model has loaded: the new pod waits for the {held:GPUs} of the only pod that serves",
    "set replicas to 2, {addition:or rollout: surge if as many GPUs are free}",
)
SURGE_UNRESERVED = ErrorKind(
    "surge-unreserved",
    "a rollout makes progress only while {count:2} more {resource:nvidia.com/gpu} are free, and no quota reserves them",
    "set requests.{resource:nvidia.com/gpu} in the team's quota, or set rollout: replace",
)

WARNINGS = {kind.code: kind for kind in (ROLLOUT_INTERRUPTS, SURGE_UNRESERVED)}
"""All kinds of warning by code."""
