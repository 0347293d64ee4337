"""A change of the prod stack as Pulumi previews it, to edit and to review."""

import copy
import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from review.messages import Message
from review.preview import Preview, parse
from review.review import Review, review

FILE = Path(__file__).parent / "prod-change.json"
GIVEN = json.loads(FILE.read_text(encoding="utf-8"))
POOLS: dict[str, dict[str, Any]] = {
    "cpu": {"gpuResource": None, "nodeSelector": {"cloud.google.com/gke-nodepool": "cpu"}, "hourlyCost": None},
    "gpu": {
        "gpuResource": "nvidia.com/gpu",
        "nodeSelector": {"cloud.google.com/gke-accelerator": "nvidia-l4"},
        "hourlyCost": "0.71",
    },
}
TODAY = date(2026, 6, 1)


def given() -> dict[str, Any]:
    """A copy of the preview."""
    return copy.deepcopy(GIVEN)


def step(preview: dict[str, Any], name: str) -> dict[str, Any]:
    """The step of a resource."""
    (found,) = [step for step in preview["steps"] if step["urn"].endswith(f"::{name}")]
    return dict(found)


def inputs(preview: dict[str, Any], name: str) -> dict[str, Any]:
    """The inputs of a resource after the change."""
    return dict(step(preview, name)["newState"]["inputs"])


def parsed(preview: dict[str, Any]) -> Preview:
    return parse(json.dumps(preview), "prod")


def reviewed(preview: dict[str, Any]) -> Review:
    return review(parsed(preview), POOLS, TODAY)


def codes(found: Iterable[Message]) -> list[str]:
    return [message.code for message in found]
