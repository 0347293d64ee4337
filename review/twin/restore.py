"""Restores a snapshot: writes its objects to the twin's etcd, before the API server starts.

Created through the API server, objects would get new UIDs, owners, statuses and timestamps, and admission would reject
those that today's rules no longer allow. Written to etcd, they are what they were.
"""

from components.base.objects import Manifest
from review.messages import Message
from review.twin.snapshot import Snapshot


def restorable(snapshot: Snapshot) -> tuple[list[Manifest], list[Message]]:
    """The objects of a snapshot as the twin has them, and notes on what differs."""
    raise NotImplementedError
