"""The stages of kwok on a twin: how simulated nodes run pods.

They are those of the sandbox, except that pods take the time that they would take, and that the pods of jobs run on.
"""

from pathlib import Path

import yaml

from components.base.objects import Manifest
from review.twin.restore import HELD
from review.twin.timing import GONE_AFTER, READY_AFTER

# In milliseconds, for pods without the annotation.
_READY, _GONE = 400, 100


def write_stages(source: Path, target: Path) -> None:
    """Write the stages of a twin. ``source`` is the file of the sandbox's stages."""
    documents = [one for one in yaml.safe_load_all(source.read_text(encoding="utf-8")) if one]
    stages = [_timed(one) for one in documents if one["spec"]["resourceRef"]["kind"] != "Pod" or _is_kept(one)]
    target.write_text(yaml.safe_dump_all(stages), encoding="utf-8")


def _is_kept(stage: Manifest) -> bool:
    return stage["metadata"]["name"] in {"pod-ready", "pod-delete"}


def _timed(stage: Manifest) -> Manifest:
    name, spec = stage["metadata"]["name"], stage["spec"]
    if name == "pod-ready":
        held = {"key": f'.metadata.annotations["{HELD}"]', "operator": "DoesNotExist"}
        selector = {"matchExpressions": [*spec["selector"]["matchExpressions"], held]}
        return {**stage, "spec": {**spec, "selector": selector, "delay": _delay(READY_AFTER, _READY)}}
    if name == "pod-delete":
        return {**stage, "spec": {**spec, "delay": _delay(GONE_AFTER, _GONE)}}
    return stage


def _delay(annotation: str, default: int) -> Manifest:
    """A delay from an annotation of the pod, such as ``300ms``."""
    return {
        "durationMilliseconds": default,
        "durationFrom": {"expressionFrom": f'.metadata.annotations["{annotation}"]'},
    }
