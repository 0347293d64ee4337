"""Whether the objects exist that the pods of a workload reference: its namespace, Secrets, ConfigMaps, claims."""

from collections.abc import Iterator
from dataclasses import dataclass

from components.base.objects import Manifest, containers, namespace_of, pod_templates, target
from review import messages
from review.cluster.kubectl import Cluster, ClusterError
from review.cluster.report import reason
from review.messages import Message

_CLUSTER_SCOPED = {"StorageClass"}


@dataclass(frozen=True)
class Reference:
    """A reference of a pod to an object without which it does not start."""

    kind: str
    name: str
    field: str
    """The field that has the reference: ``env[HF_TOKEN]``."""


def namespace_exists(manifest: Manifest, cluster: Cluster) -> bool:
    """Whether the namespace of an object exists. Raises ClusterError."""
    return cluster.get("namespace", namespace_of(manifest)) is not None


def check_references(manifest: Manifest, own: set[tuple[str, str]], cluster: Cluster) -> Iterator[Message]:
    """Report references to objects that exist neither in the cluster nor in the stack.

    ``own`` are kind and name of the stack's objects that the workload can reference.
    """
    name = target(manifest)
    for template in pod_templates(manifest):
        for one in references(template["spec"]):
            if (one.kind, one.name) in own:
                continue
            namespace = "" if one.kind in _CLUSTER_SCOPED else namespace_of(manifest)
            try:
                if cluster.get(one.kind, one.name, namespace) is None:
                    yield messages.REFERENCE_NOT_FOUND(target=name, field=one.field, kind=one.kind, name=one.name)
            except ClusterError as error:
                yield messages.REFERENCE_NOT_CHECKED(target=name, kind=one.kind, name=one.name, reason=reason(error))


def references(spec: Manifest) -> list[Reference]:
    """The references of a pod that are not optional."""
    found: dict[Reference, None] = {}
    for secret in spec.get("imagePullSecrets") or []:
        found[Reference("Secret", secret["name"], "imagePullSecrets")] = None
    for volume in spec.get("volumes") or []:
        field = f"volumes[{volume['name']}]"
        if volume.get("persistentVolumeClaim"):
            found[Reference("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"], field)] = None
        for key, kind, name in (("secret", "Secret", "secretName"), ("configMap", "ConfigMap", "name")):
            if volume.get(key) and not volume[key].get("optional"):
                found[Reference(kind, volume[key][name], field)] = None
        claim = ((volume.get("ephemeral") or {}).get("volumeClaimTemplate") or {}).get("spec") or {}
        if claim.get("storageClassName"):
            found[Reference("StorageClass", claim["storageClassName"], field)] = None
    for container in containers(spec):
        for variable in container.get("env") or []:
            for key, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
                source = (variable.get("valueFrom") or {}).get(key)
                if source and not source.get("optional"):
                    found[Reference(kind, source["name"], f"env[{variable['name']}]")] = None
    return list(found)
