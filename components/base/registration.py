"""The thin last step: a manifest becomes a child resource of its component.

Objects are registered by the provider's own type tokens, without its typed classes: the URNs are
the same, importing and building them costs a fraction.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pulumi

from . import ownership
from .objects import Manifest

Manifests = Mapping[str, Manifest]
"""A component's manifests by role: the child of role ``service`` is named ``<component>-service``."""


FORCE = {"pulumi.com/patchForce": "true"}
"""The annotation with which the provider applies an object in spite of fields that others manage."""


def annotated(metadata: Manifest, annotations: Mapping[str, Any]) -> Manifest:
    """An object's metadata with further annotations, which win."""
    merged = {**metadata.get("annotations", {}), **annotations}
    return {**metadata, "annotations": merged} if merged else metadata


class KubernetesObject(pulumi.CustomResource):
    """A Kubernetes object of any kind."""

    metadata: pulumi.Output[Any]
    spec: pulumi.Output[Any]
    status: pulumi.Output[Any]

    def __init__(self, token: str, name: str, manifest: Manifest, opts: pulumi.ResourceOptions) -> None:
        # Properties without a value are filled from the provider's outputs.
        outputs = dict.fromkeys(("metadata", "spec", "status"))
        super().__init__(token, name, {**outputs, **manifest}, opts)


def type_token(manifest: Manifest) -> str:
    """The provider's token of a manifest's kind: ``kubernetes:apps/v1:Deployment``."""
    version = manifest["apiVersion"]
    return f"kubernetes:{version if '/' in version else f'core/{version}'}:{manifest['kind']}"


# API groups of Kubernetes itself whose versions are stable. Operators move on to new versions of theirs.
_STABLE_GROUPS = {
    "", "admissionregistration.k8s.io", "apps", "autoscaling", "batch", "networking.k8s.io", "policy",
    "rbac.authorization.k8s.io", "scheduling.k8s.io",
}  # fmt: skip
_VERSIONS = ("v1alpha1", "v1alpha2", "v1alpha3", "v1beta1", "v1beta2", "v1beta3", "v1", "v2")


def _aliases(manifest: Manifest) -> list[pulumi.Alias]:
    """The other versions of an operator's API under which the state may have the same object.

    Without them, Pulumi would create the object in one version, and delete it in the other.
    """
    group, _, version = manifest["apiVersion"].rpartition("/")
    if group in _STABLE_GROUPS:
        return []
    others = ({**manifest, "apiVersion": f"{group}/{other}"} for other in _VERSIONS if other != version)
    return [pulumi.Alias(type_=type_token(other)) for other in others]


def register_all(
    component: pulumi.ComponentResource,
    name: str,
    manifests: Manifests,
    *,
    depends_on: Sequence[pulumi.Resource] = (),
    timeout: int | None = None,
    options: Mapping[str, pulumi.ResourceOptions] | None = None,
    patches: Collection[str] = (),
    adopted: Collection[str] = (),
) -> dict[str, KubernetesObject]:
    """Register manifests as children of a component: each after the previous one, all after ``depends_on``.

    ``options`` are the options of single roles. ``timeout`` is how long to wait for each object, in seconds;
    defaults to the provider's ten minutes. A component's timeouts do not reach its children.

    ``patches`` are the roles of objects that Kubernetes creates: only the fields of the manifest are managed.
    ``adopted`` are the roles of objects that may exist already, and that are not deleted with the stack.
    """
    timeouts = pulumi.CustomTimeouts(create=f"{timeout}s", update=f"{timeout}s") if timeout else None
    children: dict[str, KubernetesObject] = {}
    for role, manifest in manifests.items():
        token = type_token(manifest) + ("Patch" if role in patches else "")
        common = pulumi.ResourceOptions(
            parent=component,
            depends_on=[*depends_on, *list(children.values())[-1:]],
            custom_timeouts=timeouts,
            aliases=_aliases(manifest),
            retain_on_delete=True if role in adopted else None,
        )
        opts = pulumi.ResourceOptions.merge(common, ownership.options())
        opts = pulumi.ResourceOptions.merge(opts, (options or {}).get(role))
        if role in adopted:
            manifest = {**manifest, "metadata": annotated(manifest["metadata"], {**FORCE, **ownership.ADOPT})}
        manifest = ownership.owner_of(component, role).of(manifest)
        children[role] = KubernetesObject(token, f"{name}-{role}", manifest, opts)
    ownership.check(f"{component.pulumi_resource_type.rpartition(':')[2]} {name}", list(children.values()))
    return children
