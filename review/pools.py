"""The node pools of a configuration that is not that of the files at hand: the one which a preview was made of."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from config.settings import NodePoolSettings

_KEY = "ml-platform:nodePools"
_POOLS = TypeAdapter(dict[str, NodePoolSettings])


def node_pools(config: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The node pools by name, in YAML's spelling; none where they are refused, which that preview has told."""
    try:
        pools = _POOLS.validate_python(json.loads(config.get(_KEY, "{}")), by_alias=True, by_name=False)
    except (ValueError, ValidationError):
        return {}
    return {name: pool.model_dump(by_alias=True, mode="json") for name, pool in pools.items()}
