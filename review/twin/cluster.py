"""The twin: a disposable cluster with the objects of a snapshot."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from components.base.objects import Manifest
from review.messages import Message
from review.twin.client import Client
from review.twin.settle import Baseline
from review.twin.snapshot import Snapshot
from sandbox.layout import Layout


@dataclass(frozen=True)
class Twin:
    """A running twin."""

    snapshot: Snapshot
    client: Client
    baseline: Baseline
    """What did not work before the change."""

    notes: tuple[Message, ...]
    """How the twin differs from the cluster."""

    def add_nodes(self) -> int:
        """Add the nodes that the autoscaler of the node pools would add for the pods that fit on no node now.

        Returns their number. New pods may be unschedulable afterwards: call it again until it returns 0.
        """
        raise NotImplementedError


@contextmanager
def twin(
    snapshot: Snapshot,
    layout: Layout,
    *,
    pools: Mapping[str, Mapping[str, Any]] | None = None,
    objects: Sequence[Manifest] = (),
    prepare: Callable[[Manifest], Manifest] = lambda manifest: manifest,
) -> Iterator[Twin]:
    """Start a twin of a cluster in the sandbox folder of a checkout, and remove it at the end.

    ``pools`` are the node pools of the stack, of which those with ``autoscaling`` grow. ``objects`` exist in the twin in
    addition to the snapshot's, each of which ``prepare`` may change.

    Enter it in the main thread: the servers are killed when the thread that has started them ends.
    """
    raise NotImplementedError
    yield
