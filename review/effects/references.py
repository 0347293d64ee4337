"""The references of objects to other objects, of any form: read from the names of the fields that hold them."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from components.base.objects import Manifest, pod_templates
from review.effects.world import Key, World, is_built_in, is_cluster_scoped, key_of

# The kinds that a field can be named after: serviceAccountName, configMapKeyRef, nodePublishSecretRef.
_KINDS = (
    "ConfigMap",
    "DeviceClass",
    "GatewayClass",
    "IngressClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "PriorityClass",
    "ResourceClaim",
    "ResourceClaimTemplate",
    "RuntimeClass",
    "Secret",
    "Service",
    "ServiceAccount",
    "StorageClass",
    "VolumeAttributesClass",
    "VolumeSnapshot",
    "VolumeSnapshotClass",
    "VolumeSnapshotContent",
)
CUSTOM_KINDS = {"Gateway", "GatewayClass", "VolumeSnapshot", "VolumeSnapshotClass", "VolumeSnapshotContent"}
"""Kinds of the groups of Kubernetes that are CustomResourceDefinitions."""

_BY_NAME = {kind.lower(): kind for kind in _KINDS}
# Fields that are named otherwise.
_BY_NAME |= {
    "backend": "Service",
    "certificate": "Secret",
    "claim": "PersistentVolumeClaim",
    "imagepullsecret": "Secret",
    "parent": "Gateway",
    "volume": "PersistentVolume",
}
_SUFFIX = re.compile(r"(Key)?(Name|Refs?|s)?$")
_LONGEST_FIRST = sorted(_BY_NAME, key=len, reverse=True)

# Kinds whose references are not dependencies: what they refer to may be gone.
_RECORDS = {"ControllerRevision", "Endpoints", "EndpointSlice", "Event", "Lease", "Node", "PersistentVolume"}
_NOT_READ = {"metadata", "status", "openAPIV3Schema", "claimRef"}
# Fields that hold a name which the same object or the pod defines, not an object.
_OWN_NAMES = {"claims", "resourceClaims", "volumes"}
_ALWAYS_THERE = {("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")}


@dataclass(frozen=True)
class Reference:
    """A reference to an object, and to a part of it."""

    key: Key
    field: str
    """The path of the field that has the reference: ``containers[server].env[HF_TOKEN]``."""

    of_pod: bool = False
    """Whether a pod has it, which does not start without the object."""

    parts: tuple[str, ...] = ()
    """The keys of a ConfigMap or a Secret, the ports of a Service, or the listener of a Gateway that it needs."""

    optional: bool = False
    certain: bool = True
    """Whether it is known to be a reference. In a custom object, a field may also name what its controller creates."""


def references(manifest: Manifest) -> list[Reference]:
    """The references of an object. Those that are unknown before deployment are left out."""
    key = key_of(manifest)
    if key is None or key.kind in _RECORDS:
        return []
    found: dict[Reference, None] = {}
    templates = [template.get("spec") or {} for template in pod_templates(manifest)]
    for spec in templates:
        found.update(dict.fromkeys(_walk(spec, "", "", key.namespace, of_pod=True)))
        found.update(dict.fromkeys(_sub_paths(spec, key.namespace)))
    certain = is_built_in(manifest)
    rest = [*_walk(manifest, "", "", key.namespace, skip=templates), *_policy(manifest)]
    found.update(dict.fromkeys(replace(one, certain=certain) for one in rest))
    return list(found)


def _walk(
    value: Any, name: str, path: str, namespace: str, *, of_pod: bool = False, skip: list[Manifest] | None = None
) -> Iterator[Reference]:
    """The references in a part of an object."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            label = item["name"] if isinstance(item, Mapping) and isinstance(item.get("name"), str) else index
            yield from _walk(item, name, f"{path}[{label}]", namespace, of_pod=of_pod, skip=skip)
    elif isinstance(value, Mapping):
        if any(value is spec for spec in skip or ()):
            return
        found = _of_object(value, name, path, namespace, of_pod=of_pod)
        if found:
            yield found
        for field, item in value.items():
            if field not in _NOT_READ:
                yield from _walk(item, field, f"{path}.{field}".lstrip("."), namespace, of_pod=of_pod, skip=skip)
    elif isinstance(value, str) and value and name.endswith("Name"):
        kind = _kind(name)
        # A Secret by name within a volume source is read with its keys.
        if kind and not path.endswith((".secret.secretName", "persistentVolumeClaim.claimName")):
            yield Reference(_key(kind, namespace, value), path, of_pod)


def _of_object(value: Mapping[str, Any], field: str, path: str, namespace: str, *, of_pod: bool) -> Reference | None:
    """The reference that a mapping is, by its own kind or by the name of its field."""
    kind = value.get("kind") if isinstance(value.get("kind"), str) else _kind(field)
    name = value.get("name") or value.get("secretName") or value.get("claimName")
    if field in _OWN_NAMES or not kind or not isinstance(name, str) or not name:
        return None
    group = str(value.get("apiVersion") or value.get("apiGroup") or value.get("group") or "")
    if "." in group and not is_built_in({"apiVersion": f"{group.partition('/')[0]}/v1", "kind": kind}):
        kind = f"{kind}.{group.partition('/')[0]}"
    own = value.get("namespace")
    target = _key(kind, own if isinstance(own, str) and own else namespace, name)
    return Reference(target, path, of_pod, _parts(value), value.get("optional") is True)


def _kind(field: str) -> str | None:
    """The kind that a field is named after: ``nodePublishSecretRef`` holds a Secret."""
    stem = _SUFFIX.sub("", field).lower()
    if field.endswith(("Ref", "Refs")):  # qualified by a purpose
        return next((_BY_NAME[name] for name in _LONGEST_FIRST if stem.endswith(name)), None)
    return _BY_NAME.get(stem)


def _key(kind: str, namespace: str, name: str) -> Key:
    return Key(kind, "" if is_cluster_scoped(kind) else namespace, name)


def _parts(value: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys or ports that a reference needs of its object."""
    items = [item.get("key") for item in value.get("items") or [] if isinstance(item, Mapping)]
    port = value.get("port")
    if isinstance(port, Mapping):
        port = port.get("name") or port.get("number")
    named = [*items, value.get("key"), port, value.get("sectionName")]
    return tuple(str(part) for part in named if part is not None)


def _sub_paths(spec: Manifest, namespace: str) -> Iterator[Reference]:
    """Keys of ConfigMaps and Secrets that are mounted as single files. A file without its key is an empty directory."""
    volumes = {volume.get("name"): volume for volume in spec.get("volumes") or []}
    for container in [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]:
        for mount in container.get("volumeMounts") or []:
            volume, file = volumes.get(mount.get("name")) or {}, mount.get("subPath")
            for kind, source in (("ConfigMap", volume.get("configMap")), ("Secret", volume.get("secret"))):
                if isinstance(source, Mapping) and isinstance(file, str) and not source.get("items"):
                    name = source.get("name") or source.get("secretName")
                    if isinstance(name, str):
                        field = f"containers[{container.get('name')}].volumeMounts[{mount.get('name')}].subPath"
                        part = (file.partition("/")[0],)
                        yield Reference(_key(kind, namespace, name), field, True, part, source.get("optional") is True)


def _policy(manifest: Manifest) -> Iterator[Reference]:
    """The policy of a binding of an admission policy, whose kind follows from that of the binding."""
    spec = manifest.get("spec") or {}
    kind = manifest["kind"]
    if kind.endswith("AdmissionPolicyBinding") and isinstance(spec.get("policyName"), str):
        yield Reference(Key(kind.removesuffix("Binding"), "", spec["policyName"]), "spec.policyName")


Find = Callable[[Key], Manifest | None]
"""Looks up an object."""


def unresolved(reference: Reference, find: Find) -> str | None:
    """What a reference lacks: an empty text for the whole object, otherwise a part of it; None if nothing."""
    if reference.optional or (reference.key.kind, reference.key.name) in _ALWAYS_THERE:
        return None
    manifest = find(reference.key)
    if manifest is None:
        return ""
    known = parts(reference.key.kind, manifest)
    return next((part for part in reference.parts if known is not None and part not in known), None)


def parts(kind: str, manifest: Manifest) -> set[str] | None:
    """The parts of an object that references can name; None if they are unknown."""
    if kind in {"ConfigMap", "Secret"}:
        fields = [manifest.get(field) for field in ("data", "binaryData", "stringData")]
        known = [field for field in fields if isinstance(field, Mapping)]
        return {str(key) for field in known for key in field} if known else None
    spec = manifest.get("spec")
    if spec is None:
        return None
    if kind == "Service" and spec.get("type") != "ExternalName":
        ports = spec.get("ports") or []
        return {str(port[field]) for port in ports for field in ("name", "port") if field in port}
    if kind == "Gateway":
        return {str(one.get(field)) for one in spec.get("listeners") or [] for field in ("name", "port")}
    return None


def find_in(world: World) -> Find:
    """Look up objects in a world. Those that are unknown before deployment exist, with any part."""
    return lambda key: {} if key in world.uncertain else world.objects.get(key)
