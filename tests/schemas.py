"""Validates manifests with the schemas of Kubernetes, of the oldest and the newest supported version."""

from collections.abc import Mapping
from typing import Any

import kubernetes_validate

VERSIONS = ("1.33", "1.37")


def assert_valid(manifests: Mapping[str, Mapping[str, Any]]) -> None:
    """Assert that every manifest is valid, and has no unknown field."""
    for role, manifest in manifests.items():
        for version in VERSIONS:
            try:
                kubernetes_validate.validate(manifest, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                path = ".".join(str(part) for part in error.path)
                raise AssertionError(f"{role} is invalid in {version}: {path}: {error.message}") from None
