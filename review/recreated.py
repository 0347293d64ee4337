"""Objects that a change would create as one resource, and delete as another."""

from collections.abc import Iterable, Iterator

from components.base.objects import UNKNOWN, Manifest, target
from review import messages
from review.messages import Message
from review.preview import Step, with_unknown

Identity = tuple[str, str, str, str]


def recreated(steps: Iterable[Step]) -> Iterator[Message]:
    """Report every object that is created and deleted: its deletion comes last, and it is gone.

    The same object may have another URN because its component was renamed or moved, or another type because of
    another version of its API. ``replace`` is one resource, and Pulumi deletes it first.
    """
    created: dict[Identity, Step] = {}
    deleted: dict[Identity, Step] = {}
    for step in steps:
        identity = _identity(with_unknown(step.manifest))
        if identity is not None and step.op in {"create", "delete"}:
            (created if step.op == "create" else deleted)[identity] = step
    for identity in created.keys() & deleted.keys():
        old, new = (step.urn.rpartition("::")[2] for step in (deleted[identity], created[identity]))
        yield messages.OBJECT_RECREATED(target=target(with_unknown(created[identity].manifest)), old=old, new=new)


def _identity(manifest: Manifest) -> Identity | None:
    """API group, kind, namespace and name of an object; None if its name is unknown before the update."""
    metadata = manifest["metadata"]
    name, namespace = metadata.get("name", UNKNOWN), metadata.get("namespace", "")
    if name is UNKNOWN or namespace is UNKNOWN:
        return None
    group = str(manifest["apiVersion"]).rpartition("/")[0]
    return group, str(manifest["kind"]), str(namespace), str(name)
