"""A checksum of what configures pods: another one makes other pods."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pulumi

from ..pod.volumes import Volume

_ANNOTATION = "checksum/config"


def config_checksum(volumes: Mapping[str, Volume], version: pulumi.Input[str] | None) -> dict[str, pulumi.Input[str]]:
    """The pods' annotation for the ConfigMaps and Secrets that they mount; none where they mount none.

    ``version`` stands for their content, which is not known here.
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
