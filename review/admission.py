"""Which refusals of a dry run a change may fix itself: the API server judges by what is there before it."""

import re
from collections.abc import Iterable

from components.base.objects import Manifest, namespace, target
from review.preview import Step, known

# What a refusal says → the kinds of objects that decide it.
_DECIDED_BY = (
    (re.compile(r"violates PodSecurity"), {"Namespace"}),
    (re.compile(r"(maximum|minimum) \S+ usage per |limit to request ratio per "), {"LimitRange"}),
    (re.compile(r"failed quota: "), {"ResourceQuota", "LimitRange"}),
)
_ENFORCED = "pod-security.kubernetes.io/enforce"


def altered(said: str, place: str, steps: Iterable[Step]) -> str:
    """The objects that a change alters, of those that decide a refusal in a namespace; empty where there are none."""
    kinds: set[str] = set().union(*(kinds for pattern, kinds in _DECIDED_BY if pattern.search(said)))
    found = []
    for step in steps:
        manifest: Manifest = known(step.manifest)
        if step.changes and manifest["kind"] in kinds and _decides(step, manifest, place):
            found.append(target(manifest))
    return " and ".join(found)


def _decides(step: Step, manifest: Manifest, place: str) -> bool:
    if manifest["kind"] == "Namespace":
        return bool(manifest["metadata"]["name"] == place) and _enforced(step.before) != _enforced(step.after)
    return namespace(manifest) == place


def _enforced(manifest: Manifest | None) -> dict[str, str]:
    """The level of Pod Security that a Namespace enforces, and its version."""
    labels = ((manifest or {}).get("metadata") or {}).get("labels") or {}
    return {key: value for key, value in labels.items() if key.startswith(_ENFORCED)}
