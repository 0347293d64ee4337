"""Existing objects that a change adopts, and the fields that it changes in them."""

from collections.abc import Iterable, Iterator
from typing import Any

from components.base.diff import differences
from components.base.objects import UNKNOWN, target
from components.base.ownership import ADOPT
from review import messages
from review.cluster.kubectl import Cluster, ClusterError
from review.cluster.report import reason
from review.messages import Message
from review.preview import Step, with_unknown


def check_adoption(steps: Iterable[Step], cluster: Cluster) -> Iterator[Message]:
    """Report the existing objects that created resources adopt."""
    for step in steps:
        manifest = with_unknown(step.after or {})
        annotations = manifest.get("metadata", {}).get("annotations") or {}
        if step.op != "create" or not ADOPT.items() <= annotations.items():
            continue
        name = target(manifest)
        metadata = manifest["metadata"]
        try:
            live = cluster.get(manifest["kind"], str(metadata["name"]), str(metadata.get("namespace", "")))
        except ClusterError as error:
            yield messages.ADOPTION_NOT_CHECKED(target=name, reason=reason(error))
            continue
        if live is not None:
            fields = [found.path for found in differences(_restricted(live, manifest), manifest)]
            kept = [path for path in fields if not path.startswith(("metadata.annotations", "apiVersion"))]
            yield messages.ADOPTED(target=name, fields=", ".join(kept) or "none")


def _restricted(live: Any, manifest: Any) -> Any:
    """The fields of a live object that the manifest sets: the others stay."""
    if isinstance(live, dict) and isinstance(manifest, dict):
        return {key: _restricted(live[key], value) for key, value in manifest.items() if key in live}
    if isinstance(live, list) and isinstance(manifest, list):
        by_name = {item.get("name"): item for item in manifest if isinstance(item, dict)}
        if None not in by_name and len(by_name) == len(manifest) and all(isinstance(item, dict) for item in live):
            return [_restricted(item, by_name.get(item.get("name"), item)) for item in live]
    return UNKNOWN if manifest is UNKNOWN else live
