"""From where a team's pods may take their images: a ValidatingAdmissionPolicy, which the API server enforces itself."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator

from ..base.errors import refuse
from ..base.registration import Manifest


def _prefix(text: str) -> str:
    if text != text.strip() or not text.strip("/") or "://" in text:
        raise refuse(f"{text[:60]!r} is not the beginning of an image reference, such as ghcr.io/acme")
    name = _name(text)
    if name != text:
        what = f"{text[:60]!r} names a tag or a digest: images may come from a registry, a path or a repository"
        raise refuse(what, value=name or None)
    return text


def _name(reference: str) -> str:
    """A reference without its tag and digest."""
    name = reference.partition("@")[0]
    before, colon, tag = name.rpartition(":")
    # Digits behind a host by itself are the port of a registry.
    is_tag = colon and "/" not in tag and ("/" in before or not tag.isdecimal())
    return before if is_tag else name


ImagePrefix = Annotated[str, AfterValidator(_prefix)]


def images(pod: Mapping[str, Any]) -> frozenset[str]:
    """The images of a pod's spec that are known before it is deployed; those of volumes too."""
    containers = [*pod["containers"], *pod.get("initContainers", [])]
    volumes = [volume["image"]["reference"] for volume in pod.get("volumes", []) if "image" in volume]
    return frozenset(image for image in (*(c.get("image") for c in containers), *volumes) if isinstance(image, str))


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
    places = json.dumps([prefix.rstrip("/") for prefix in prefixes])
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
                        f".exists(place, {_IS_OF_PLACE}))",
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


# A place ends where a name does: ghcr.io/acme is not the beginning of ghcr.io/acme-evil, nor is ghcr.io
# that of ghcr.io:5000/acme, which is another registry.
_IS_OF_PLACE = (
    "image == place || image.startsWith(place + '/') || "
    "[':', '@'].exists(end, image.startsWith(place + end) && !image.substring(size(place)).contains('/'))"
)


def allowed(image: str, prefixes: Sequence[str]) -> bool:
    """The same, known before anything is deployed; without places, from anywhere."""

    def ends_there(rest: str) -> bool:
        return rest[:1] in {"", "/"} or (rest[0] in ":@" and "/" not in rest)

    places = [prefix.rstrip("/") for prefix in prefixes]
    return not places or any(image.startswith(place) and ends_there(image[len(place) :]) for place in places)


def _images(pod: str) -> str:
    """All images of a pod, in CEL; those of volumes too."""
    kinds = ("containers", "initContainers", "ephemeralContainers")
    containers = [f"{pod}.spec.?{kind}.orValue([]).map(c, c.image)" for kind in kinds]
    volumes = f"{pod}.spec.?volumes.orValue([]).filter(v, has(v.image)).map(v, v.image.reference)"
    return f"({' + '.join([*containers, volumes])})"
