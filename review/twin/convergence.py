"""Whether a change has converged: applied once more, it must change nothing."""

from collections.abc import Iterable, Iterator, Mapping

from components.base.diff import differences
from components.base.objects import Manifest, target
from review import twin_messages as messages
from review.messages import Message
from review.preview import Step
from review.twin.client import ApiError, Client
from review.twin.owners import key
from review.twin.play import Played
from review.twin.timing import GONE_AFTER, READY_AFTER

_SERVER_FIELDS = ("managedFields", "resourceVersion", "generation", "creationTimestamp", "uid")


def second_apply(client: Client, applied: Iterable[Played]) -> Iterator[Message]:
    """Apply the objects of a change once more, in a dry run, and report what would change again."""
    last = {key(one.manifest): one for one in applied}
    for played in last.values():
        try:
            live = client.get(played.manifest)
            if live is None:
                continue
            again = client.apply(played.manifest, played.manager, force=played.force, dry_run=True)
        except ApiError as error:
            if error.status == 409:
                yield messages.NOT_CONVERGENT_CONFLICT(target=target(played.manifest), error=error)
            continue
        fields = [one.path for one in differences(_declared(live), _declared(again))]
        if fields:
            yield messages.NOT_CONVERGENT(target=target(played.manifest), fields=", ".join(fields))


def _declared(manifest: Manifest) -> Manifest:
    """An object without the fields that every write changes, and without the annotations of the twin."""
    metadata = {name: value for name, value in manifest["metadata"].items() if name not in _SERVER_FIELDS}
    annotations = metadata.pop("annotations", None) or {}
    kept = {name: value for name, value in annotations.items() if name not in {READY_AFTER, GONE_AFTER}}
    rest = {name: value for name, value in manifest.items() if name not in {"metadata", "status"}}
    return {**rest, "metadata": {**metadata, "annotations": kept}}


def replicas_and_autoscaler(
    steps: Iterable[Step], before: Iterable[Manifest], after: Iterable[Manifest]
) -> Iterator[Message]:
    """Report workloads of the stack that set replicas although an autoscaler scales them, if that is new."""
    scaled_before, scaled_after = _scaled(before), _scaled(after)
    for step in steps:
        autoscaler = scaled_after.get(_name(step.after))
        if autoscaler is None or step.after is None or not _sets_replicas(step.after):
            continue
        if not (_name(step.after) in scaled_before and _sets_replicas(step.before)):
            yield messages.REPLICAS_AND_AUTOSCALER(target=target(step.after), autoscaler=target(autoscaler))


def _sets_replicas(manifest: Manifest | None) -> bool:
    spec = (manifest or {}).get("spec")
    return isinstance(spec, Mapping) and "replicas" in spec


def _name(manifest: Manifest | None) -> tuple[str, str, str]:
    """Kind, namespace and name of an object."""
    metadata = (manifest or {}).get("metadata")
    if not isinstance(metadata, Mapping):
        return "", "", ""
    return (manifest or {}).get("kind", ""), metadata.get("namespace", "default"), metadata.get("name", "")


def _scaled(objects: Iterable[Manifest]) -> dict[tuple[str, str, str], Manifest]:
    """Kind, namespace and name of each workload that an autoscaler scales."""
    found: dict[tuple[str, str, str], Manifest] = {}
    for one in objects:
        if one["kind"] in {"HorizontalPodAutoscaler", "ScaledObject"}:
            reference: Manifest = (one.get("spec") or {}).get("scaleTargetRef") or {}
            namespace = one["metadata"].get("namespace", "")
            found[reference.get("kind", "Deployment"), namespace, reference.get("name", "")] = one
    return found
