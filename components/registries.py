"""From where a team's pods may take their images: a ValidatingAdmissionPolicy, which the API server enforces itself."""

import json
from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator

from .arguments import refuse
from .registration import Manifest


def _prefix(text: str) -> str:
    if text != text.strip() or not text or "://" in text or "@" in text:
        raise refuse(f"{text[:60]!r} is not the beginning of an image reference, such as ghcr.io/acme")
    return text


ImagePrefix = Annotated[str, AfterValidator(_prefix)]


def _closed(prefix: str) -> str:
    """A prefix that ends where a name does: ghcr.io/acme is not the beginning of ghcr.io/acme-evil."""
    return prefix if prefix.endswith("/") else f"{prefix}/"


def admission(metadata: Manifest, namespace: str, prefixes: Sequence[str]) -> dict[str, Manifest]:
    """The policy and its binding to the namespace, by role. Both belong to the cluster."""
    own = {**metadata, "name": f"{namespace}-registries"}
    api = "admissionregistration.k8s.io/v1"
    rule = {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": ["CREATE", "UPDATE"],
        "resources": ["pods", "pods/ephemeralcontainers"],
    }
    places = json.dumps([_closed(prefix) for prefix in prefixes])
    return {
        "registry-policy": {
            "apiVersion": api,
            "kind": "ValidatingAdmissionPolicy",
            "metadata": own,
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": {"resourceRules": [rule]},
                "variables": [
                    {"name": "images", "expression": _images("object")},
                    # A pod that was there before the policy stays as it is, and can end in good order.
                    {"name": "before", "expression": f"oldObject == null ? [] : {_images('oldObject')}"},
                ],
                "validations": [
                    {
                        "expression": f"variables.images.all(image, image in variables.before || {places}"
                        ".exists(place, image.startsWith(place)))",
                        "message": f"images of this namespace come from {', '.join(prefixes)}",
                    }
                ],
            },
        },
        "registry-binding": {
            "apiVersion": api,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": own,
            "spec": {
                "policyName": own["name"],
                "validationActions": ["Deny"],
                "matchResources": {
                    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
                },
            },
        },
    }


def _images(pod: str) -> str:
    """All images of a pod, in CEL; those of volumes too."""
    kinds = ("containers", "initContainers", "ephemeralContainers")
    containers = [f"{pod}.spec.?{kind}.orValue([]).map(c, c.image)" for kind in kinds]
    volumes = f"{pod}.spec.?volumes.orValue([]).filter(v, has(v.image)).map(v, v.image.reference)"
    return f"({' + '.join([*containers, volumes])})"
