"""The checksum of a pod's configuration: an annotation of the pod template, so that a change rolls the pods."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pulumi

from ..pod.volumes import Volume

_ANNOTATION = "checksum/config"


def config_checksum(volumes: Mapping[str, Volume], version: pulumi.Input[str] | None) -> dict[str, pulumi.Input[str]]:
    """The annotation for the ConfigMaps and Secrets that the pods mount, and for their ``version``.

    The version represents their content, which is not known here. Empty without any of them.
    """
    references = {
        f"{kind} {name}": reference
        for name, volume in volumes.items()
        for kind, reference in (("configMap", volume.config_map), ("secret", volume.secret))
        if reference is not None
    }
    if version is not None:
        references["version"] = version
    if not references:
        return {}
    if any(isinstance(reference, pulumi.Output) for reference in references.values()):
        return {_ANNOTATION: pulumi.Output.from_input(references).apply(_digest)}
    return {_ANNOTATION: _digest(references)}


def _digest(references: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(references, sort_keys=True).encode()).hexdigest()
