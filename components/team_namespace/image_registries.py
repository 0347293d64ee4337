"""The allowed sources of a team's images, enforced by a ValidatingAdmissionPolicy."""

import json
from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator

from ..base.error_table import IMAGE_PREFIX_INVALID
from ..base.objects import Manifest, containers


def _prefix(text: str) -> str:
    if text != text.strip() or not text.strip("/") or "://" in text:
        raise IMAGE_PREFIX_INVALID(prefix=text[:60], reason="it must be a registry, a path or a repository")
    name = _name(text)
    if name != text:
        raise IMAGE_PREFIX_INVALID(prefix=text[:60], reason="it must not have a tag or a digest", value=name or None)
    return text


def _name(reference: str) -> str:
    """A reference without its tag and digest."""
    name = reference.partition("@")[0]
    before, colon, tag = name.rpartition(":")
    # Digits after a host without a path are the port of a registry.
    is_tag = colon and "/" not in tag and ("/" in before or not tag.isdecimal())
    return before if is_tag else name


ImagePrefix = Annotated[str, AfterValidator(_prefix)]
"""A registry, a path in one, or a repository: a prefix of image references."""


def images(pod: Manifest) -> frozenset[str]:
    """The images of a pod's spec, including those of volumes, as far as they are known before deployment."""
    volumes = [volume["image"]["reference"] for volume in pod.get("volumes", []) if "image" in volume]
    found = [*(container.get("image") for container in containers(pod)), *volumes]
    return frozenset(image for image in found if isinstance(image, str))


def admission(metadata: Manifest, namespace: str, prefixes: Sequence[str]) -> dict[str, Manifest]:
    """The policy and its binding to the namespace, by role. Both are cluster-scoped."""
    own = {**metadata, "name": f"{namespace}-registries"}
    api = "admissionregistration.k8s.io/v1"
    rule = {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": ["CREATE", "UPDATE"],
        "resources": ["pods", "pods/ephemeralcontainers"],
    }
    allowed_prefixes = json.dumps([prefix.rstrip("/") for prefix in prefixes])
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
                    # A pod that is older than the policy can still be updated, and terminates gracefully.
                    {"name": "before", "expression": f"oldObject == null ? [] : {_images('oldObject')}"},
                ],
                "validations": [
                    {
                        "expression": f"variables.images.all(image, image in variables.before || {allowed_prefixes}"
                        f".exists(prefix, {_HAS_PREFIX}))",
                        "message": f"images in this namespace must be from {', '.join(prefixes)}",
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


# A prefix ends where a component of the name ends: ghcr.io/acme does not match ghcr.io/acme-evil, and ghcr.io does not
# match ghcr.io:5000/acme, which is another registry.
_HAS_PREFIX = (
    "image == prefix || image.startsWith(prefix + '/') || "
    "[':', '@'].exists(end, image.startsWith(prefix + end) && !image.substring(size(prefix)).contains('/'))"
)


def allowed(image: str, prefixes: Sequence[str]) -> bool:
    """Whether the policy allows an image. Without prefixes, all are allowed."""

    def is_boundary(rest: str) -> bool:
        return rest[:1] in {"", "/"} or (rest[0] in ":@" and "/" not in rest)

    stripped = [prefix.rstrip("/") for prefix in prefixes]
    return not stripped or any(image.startswith(prefix) and is_boundary(image[len(prefix) :]) for prefix in stripped)


def _images(pod: str) -> str:
    """The CEL expression for all images of a pod, including those of volumes."""
    kinds = ("containers", "initContainers", "ephemeralContainers")
    containers = [f"{pod}.spec.?{kind}.orValue([]).map(c, c.image)" for kind in kinds]
    volumes = f"{pod}.spec.?volumes.orValue([]).filter(v, has(v.image)).map(v, v.image.reference)"
    return f"({' + '.join([*containers, volumes])})"
