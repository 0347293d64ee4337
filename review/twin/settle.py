"""Waits until the controllers and the scheduler of a twin are idle, and records what does not work then."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from review.twin.client import Client
from review.twin.owners import Key


@dataclass(frozen=True)
class Baseline:
    """The state of a cluster before a change."""

    broken: Mapping[Key, str] = field(default_factory=dict)
    """Objects that do not work: pods that are not ready or not scheduled, workloads without all of their pods, unbound
    claims. The value is the reason that Kubernetes gives."""

    settled: bool = True
    """Whether the cluster was idle within the time limit."""


def settle(client: Client, *, quiet: float = 0.5, timeout: float = 20.0) -> Baseline:
    """Wait until no controller has changed anything for ``quiet`` seconds, for ``timeout`` seconds at most."""
    raise NotImplementedError
