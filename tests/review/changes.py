"""Changes of the prod stack that others have written, who had not read the review.

A set is a YAML file with harmful and harmless changes. A change edits the manifests of the stack, or its file, by JSON
Patch (RFC 6902).
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonpatch
import yaml

from config import load_file
from config.render import objects

PROJECT = Path(__file__).resolve().parent.parent.parent
Objects = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Change:
    """A change that a team proposes."""

    name: str
    harmful: bool
    area: str
    level: str
    """What it edits: ``manifests`` or ``stack``."""

    why: str
    """Why it is harmful, or is not."""

    change: Mapping[str, Any]
    before: Mapping[str, Any]
    """The edits that are deployed already."""

    live: list[dict[str, Any]]
    """Objects that others have created in the cluster."""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "Change":
        defaults: dict[str, Any] = {"before": {}, "live": []}
        return cls(**{**defaults, **{key: value for key, value in given.items() if value is not None}})


def read(file: Path) -> list[Change]:
    """The changes of a set."""
    return [Change.of(given) for given in yaml.safe_load(file.read_text(encoding="utf-8"))]


def base() -> Objects:
    """The manifests of the prod stack: ``Deployment ml-serving/model-serving`` → manifest."""
    return {_target(manifest): copy.deepcopy(manifest) for _, manifest in objects(load_file("prod", PROJECT))}


def edited(manifests: Objects, edit: Mapping[str, Any]) -> Objects:
    """A copy of the manifests with an edit."""
    result = copy.deepcopy(manifests)
    for target in edit.get("delete") or []:
        del result[target]
    for target, patch in (edit.get("patch") or {}).items():
        result[target] = jsonpatch.apply_patch(result[target], patch)
    for manifest in edit.get("add") or []:
        result[_target(manifest)] = manifest
    return result


def edited_settings(settings: Mapping[str, Any], edit: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a stack's settings with an edit."""
    result: dict[str, Any] = jsonpatch.apply_patch(copy.deepcopy(dict(settings)), edit.get("stack") or [])
    return result


def _target(manifest: Mapping[str, Any]) -> str:
    metadata = manifest["metadata"]
    name = f"{metadata['namespace']}/{metadata['name']}" if "namespace" in metadata else metadata["name"]
    return f"{manifest['kind']} {name}"
