"""Whether the objects exist that a changed object references, such as the Secrets and ConfigMaps of its pods."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress

from components.base.objects import Manifest, namespace_of, target
from review import messages
from review.cluster.kubectl import Cluster, ClusterError
from review.cluster.report import reason
from review.effects.dangling import is_readable, may_be_produced, not_found, without_idle_webhooks
from review.effects.references import find_in, references, unresolved
from review.effects.world import Key, World
from review.messages import Message

# The API server rejects pods without these objects: check_admission reports them.
_CHECKED_BY_ADMISSION = {"PriorityClass", "RuntimeClass", "ServiceAccount"}


def namespace_exists(manifest: Manifest, cluster: Cluster) -> bool:
    """Whether the namespace of an object exists. Raises ClusterError."""
    return cluster.get("namespace", namespace_of(manifest)) is not None


def check_references(
    manifest: Manifest, own: World, cluster: Cluster, produced: Collection[tuple[str, str]] = ()
) -> Iterator[Message]:
    """Report references to objects, or parts of them, that exist neither in the cluster nor in the stack.

    ``own`` are the objects of the stack, and ``produced`` the names that its custom objects may create.
    """

    def find(key: Key) -> Manifest | None:
        found = find_in(own)(key)
        return cluster.get(key.kind, key.name, key.namespace) if found is None else found

    for one in references(without_idle_webhooks(manifest, _namespaces(own, cluster))):
        checked_elsewhere = one.of_pod and one.key.kind in _CHECKED_BY_ADMISSION
        if not one.certain or checked_elsewhere or not is_readable(one.key):
            continue
        try:
            lacks = unresolved(one, find)
        except ClusterError as error:
            if one.of_pod:
                yield messages.REFERENCE_NOT_CHECKED(
                    target=target(manifest), kind=one.key.kind, name=one.key.name, reason=reason(error)
                )
            continue
        if lacks is not None and not may_be_produced(one.key, manifest, produced):
            yield not_found(manifest, one, lacks)


def _namespaces(own: World, cluster: Cluster) -> Iterator[Mapping[str, str]]:
    """The labels of all namespaces, or of those of the stack if the others cannot be read."""
    yield from own.namespaces.values()
    with suppress(ClusterError):
        for namespace in cluster.get("namespaces")["items"]:
            yield namespace["metadata"].get("labels") or {}
