"""A snapshot: all objects of a cluster, except the values of its Secrets."""

from dataclasses import dataclass
from pathlib import Path

from components.base.objects import Manifest
from review.cluster.kubectl import Cluster
from review.messages import Message


@dataclass(frozen=True)
class Snapshot:
    """The objects of a cluster at one time, with their status, owners and managed fields."""

    objects: tuple[Manifest, ...]
    """All objects that can be read, with their UIDs. A Secret has its keys with a placeholder, no ``data`` if they are
    unknown."""

    version: str
    """The version of Kubernetes: ``v1.37.2``."""

    secret_keys_known: bool
    """Whether the user may read the names and keys of Secrets."""

    notes: tuple[Message, ...] = ()
    """What could not be read."""


def take(cluster: Cluster) -> Snapshot:
    """Read all objects of a cluster. Raises UnansweredError if it does not answer."""
    raise NotImplementedError


def read(file: Path) -> Snapshot:
    """A snapshot that was written to a file. Raises SnapshotError if it is invalid."""
    raise NotImplementedError


def write(snapshot: Snapshot, file: Path) -> None:
    """Write a snapshot to a file that only its owner can read."""
    raise NotImplementedError
