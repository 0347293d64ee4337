"""Holds manifests against Kubernetes' own schemas, of the oldest and the newest version supported."""

from collections.abc import Mapping
from typing import Any

import kubernetes_validate

VERSIONS = ("1.33", "1.37")


def assert_valid(manifests: Mapping[str, Mapping[str, Any]]) -> None:
    """Every manifest is one that the API server knows, without a field that it does not know."""
    for role, manifest in manifests.items():
        for version in VERSIONS:
            try:
                kubernetes_validate.validate(manifest, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                path = ".".join(str(part) for part in error.path)
                raise AssertionError(f"{role} is refused by {version}: {path}: {error.message}") from None
