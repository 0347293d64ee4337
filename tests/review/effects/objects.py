"""Small objects of a cluster, in the namespace ``a`` unless a test sets another one."""

from collections.abc import Iterable
from typing import Any

from components.base.objects import Manifest
from review.effects.world import World, worlds
from review.messages import Message


def made(kind: str, name: str, namespace: str | None = "a", version: str = "v1", **fields: Any) -> Manifest:
    """An object. Labels and annotations are fields, too."""
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    for key in ("labels", "annotations", "ownerReferences"):
        if key in fields:
            metadata[key] = fields.pop(key)
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


def container(name: str = "c", **fields: Any) -> Manifest:
    """A container. ``image`` is the name in the registry, by default that of the container."""
    return {"name": name, **fields, "image": f"registry/{fields.get('image', name)}:1"}


def deployment(
    name: str = "app",
    namespace: str = "a",
    labels: dict[str, str] | None = None,
    containers: Iterable[Manifest] = (),
    **spec: Any,
) -> Manifest:
    """A Deployment whose pods have the label ``app``. Further arguments are fields of the pods."""
    of_pods = {"app": name} if labels is None else labels
    pods = {"containers": list(containers) or [container(image=name)], **spec}
    template = {"metadata": {"labels": of_pods}, "spec": pods}
    return made(
        "Deployment", name, namespace, "apps/v1", spec={"selector": {"matchLabels": of_pods}, "template": template}
    )


def owned(manifest: Manifest, kind: str, name: str, version: str = "apps/v1") -> Manifest:
    """An object that another one controls."""
    owner = {"apiVersion": version, "kind": kind, "name": name, "controller": True}
    return {**manifest, "metadata": {**manifest["metadata"], "ownerReferences": [owner]}}


def service(name: str = "app", namespace: str = "a", app: str = "app", **spec: Any) -> Manifest:
    """A Service of pods with a label ``app``, on port 80."""
    return made(
        "Service", name, namespace, spec={"selector": {"app": app}, "ports": [{"name": "http", "port": 80}], **spec}
    )


def policy(name: str, namespace: str = "a", selector: Manifest | None = None, **spec: Any) -> Manifest:
    return made("NetworkPolicy", name, namespace, "networking.k8s.io/v1", spec={"podSelector": selector or {}, **spec})


def role(name: str, *rules: Manifest, namespace: str | None = "a", **fields: Any) -> Manifest:
    """A Role, or a ClusterRole if the namespace is None."""
    kind = "Role" if namespace else "ClusterRole"
    return made(kind, name, namespace, "rbac.authorization.k8s.io/v1", rules=list(rules), **fields)


def rule(verbs: str, resources: str, group: str = "", **fields: Any) -> Manifest:
    """A rule: verbs and resources are separated by spaces."""
    return {"apiGroups": [group], "resources": resources.split(), "verbs": verbs.split(), **fields}


def binding(of: Manifest, *subjects: tuple[str, str], namespace: str | None = "a", name: str = "b") -> Manifest:
    """A RoleBinding, or a ClusterRoleBinding if the namespace is None."""
    kind = "RoleBinding" if namespace else "ClusterRoleBinding"
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": of["kind"], "name": of["metadata"]["name"]}
    listed = [
        {"kind": one, "name": who, **({"namespace": "a"} if one == "ServiceAccount" else {})} for one, who in subjects
    ]
    return made(kind, name, namespace, "rbac.authorization.k8s.io/v1", roleRef=reference, subjects=listed)


def pair(before: Iterable[Manifest], after: Iterable[Manifest]) -> tuple[World, World]:
    return worlds(list(before), list(after))


def found(messages: Iterable[Message]) -> list[tuple[str, object]]:
    """Code and first value of messages."""
    return [(message.code, next(iter(message.values.values()), None)) for message in messages]
