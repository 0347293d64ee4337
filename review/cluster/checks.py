"""All checks of a change against the cluster. They only read and run server-side dry runs: nothing is changed."""

from collections.abc import Collection, Iterator, Sequence

from components.base.objects import WORKLOADS, Manifest, UnknownValueError, namespace_of, target
from review import messages
from review.cluster.admission import check_admission
from review.cluster.adoption import check_adoption
from review.cluster.kinds import check_kinds
from review.cluster.kubectl import Cluster, ClusterError, ForbiddenError
from review.cluster.live_state import check_live_state
from review.cluster.namespace_contents import check_namespace_contents
from review.cluster.nodes import check_nodes
from review.cluster.other_pods import other_pods
from review.cluster.permissions import check_permissions
from review.cluster.references import check_references, namespace_exists
from review.cluster.report import Report, merged, reason
from review.effects.dangling import produced
from review.effects.known import known
from review.effects.world import World
from review.messages import Message
from review.preview import Preview, Step, with_unknown


def check(preview: Preview, cluster: Cluster) -> Report:
    """Check everything that a change creates, updates or deletes."""
    after = preview.manifests(after=True)
    changed = [with_unknown(step.after) for step in preview.steps if step.is_change and step.after is not None]
    certain, uncertain = known(after)
    own, names = World(certain, uncertain), produced(certain)
    pods, notes = other_pods(changed, preview, cluster)
    found = [
        *check_live_state(preview.steps, cluster),
        *check_adoption(preview.steps, cluster),
        *check_namespace_contents(preview, cluster),
        *check_kinds(changed, after, cluster),
        *check_permissions(preview.steps, cluster),
        *(
            message
            for manifest in changed
            if manifest["kind"] in WORKLOADS
            for message in _check_workload(manifest, preview.steps, after, cluster)
        ),
        *(message for manifest in known(changed)[0] for message in _check_references(manifest, own, names, cluster)),
        *notes,
    ]
    return merged(found, pods)


def _check_workload(
    manifest: Manifest, steps: Sequence[Step], after: Sequence[Manifest], cluster: Cluster
) -> Iterator[Message]:
    try:
        namespace, name = namespace_of(manifest), target(manifest)
        own = {(other["kind"], other["metadata"]["name"]) for other in after if _is_usable(other, namespace)}
        exists = True
        try:
            exists = namespace_exists(manifest, cluster)
        except ForbiddenError:  # the checks below fail if it does not exist
            pass
        except ClusterError as error:
            yield messages.WORKLOAD_NOT_CHECKED(target=name, reason=reason(error))
        if exists:
            yield from check_admission(manifest, steps, own, cluster)
            yield from check_nodes(manifest, cluster)
        elif ("Namespace", namespace) in own:
            yield messages.WORKLOAD_NOT_CHECKED(target=name, reason=messages.NAMESPACE_CREATED())
        else:
            yield messages.NAMESPACE_NOT_FOUND(target=name, namespace=namespace)
    except UnknownValueError:
        yield messages.WORKLOAD_NOT_CHECKED(target=target(manifest), reason=messages.UNKNOWN_VALUES())


def _check_references(
    manifest: Manifest, own: World, names: Collection[tuple[str, str]], cluster: Cluster
) -> Iterator[Message]:
    """Check the references of an object, unless its namespace does not exist, which is reported."""
    try:
        exists = manifest["kind"] not in WORKLOADS or namespace_exists(manifest, cluster)
    except ClusterError:
        exists = True
    if exists:
        yield from check_references(manifest, own, cluster, names)


def _is_usable(manifest: Manifest, namespace: str) -> bool:
    """Whether workloads of a namespace can reference an object: it is in the namespace, or cluster-scoped."""
    return namespace_of(manifest) == namespace or "namespace" not in manifest["metadata"]
