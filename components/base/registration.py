"""The thin last step: a manifest becomes a child resource of its component.

Objects are registered by the provider's own type tokens, without its typed classes: the URNs are
the same, importing and building them costs a fraction.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pulumi

from .objects import Manifest as Manifest

Manifests = Mapping[str, Manifest]
"""A component's manifests by role: the child of role ``service`` is named ``<component>-service``."""


def annotated(metadata: Manifest, annotations: Mapping[str, Any]) -> Manifest:
    """An object's metadata with further annotations, which win."""
    merged = {**metadata.get("annotations", {}), **annotations}
    return {**metadata, "annotations": merged} if merged else metadata


class KubernetesObject(pulumi.CustomResource):
    """A Kubernetes object of any kind."""

    metadata: pulumi.Output[Any]
    spec: pulumi.Output[Any]
    status: pulumi.Output[Any]

    def __init__(self, name: str, manifest: Manifest, opts: pulumi.ResourceOptions, *, patch: bool = False) -> None:
        # Properties without a value are filled from the provider's outputs.
        outputs = dict.fromkeys(("metadata", "spec", "status"))
        token = type_token(manifest) + ("Patch" if patch else "")
        super().__init__(token, name, {**outputs, **manifest}, opts)


def type_token(manifest: Manifest) -> str:
    """The provider's token of a manifest's kind: ``kubernetes:apps/v1:Deployment``."""
    version = manifest["apiVersion"]
    return f"kubernetes:{version if '/' in version else f'core/{version}'}:{manifest['kind']}"


def register_all(
    component: pulumi.ComponentResource,
    name: str,
    manifests: Manifests,
    *,
    depends_on: Sequence[pulumi.Resource] = (),
    timeout: int | None = None,
    options: Mapping[str, pulumi.ResourceOptions] | None = None,
    patches: Collection[str] = (),
) -> dict[str, KubernetesObject]:
    """Register manifests as children of a component: each after the one before it, all after ``depends_on``.

    ``options`` are what is special about a role: ``ignore_changes``, ``protect``, hooks. ``patches``
    are the roles whose objects somebody else makes: only the fields named here are the platform's.
    ``timeout_seconds`` is how long to wait for each object, in seconds; default: the provider's own, ten
    minutes. It is given here because a component's timeouts do not reach its children.
    """
    timeouts = pulumi.CustomTimeouts(create=f"{timeout}s", update=f"{timeout}s") if timeout else None
    children: dict[str, KubernetesObject] = {}
    for role, manifest in manifests.items():
        before = [*depends_on, *list(children.values())[-1:]]
        common = pulumi.ResourceOptions(parent=component, depends_on=before, custom_timeouts=timeouts)
        own = (options or {}).get(role)
        opts = pulumi.ResourceOptions.merge(common, own)
        children[role] = KubernetesObject(f"{name}-{role}", manifest, opts, patch=role in patches)
    return children
