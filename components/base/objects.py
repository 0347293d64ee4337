"""Helpers over plain Kubernetes manifests, and the value that is not known before deployment."""

from typing import Any, NoReturn

Manifest = dict[str, Any]


class UnknownValueError(Exception):
    """A rule asked for a value that is not known before the deployment."""


class _Unknown:
    """A value that is not known yet. Whatever a rule asks of it, the rule cannot be answered.

    So rules are written in plain Python, and none can take an unknown value for a good or a bad one.
    """

    def _ask(self, *_: object) -> NoReturn:
        raise UnknownValueError

    __bool__ = __eq__ = __ne__ = __hash__ = __str__ = __format__ = __int__ = _ask
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __mod__ = _ask
    __lt__ = __le__ = __gt__ = __ge__ = __iter__ = __len__ = __getitem__ = __contains__ = _ask

    def __getattr__(self, name: str) -> NoReturn:
        raise UnknownValueError

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Any = _Unknown()


def target(manifest: Manifest) -> str:
    """An object by kind, namespace and name, as far as they are known: ``Deployment ml-serving/bert``."""
    metadata = manifest.get("metadata") or {}
    parts = [metadata[key] for key in ("namespace", "name") if metadata.get(key, UNKNOWN) is not UNKNOWN]
    return f"{manifest['kind']} {'/'.join(parts) or '(name not known yet)'}"


_TEMPLATES = {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job"}


WORKLOADS = {*_TEMPLATES, "Pod", "CronJob", "JobSet"}
"""The kinds that make pods."""


def pod_templates(manifest: Manifest) -> list[Manifest]:
    """The ``metadata`` and ``spec`` of the pods that an object makes."""
    kind = manifest["kind"]
    if kind == "Pod":
        return [manifest]
    if kind in _TEMPLATES:
        return [manifest["spec"]["template"]]
    if kind == "CronJob":
        return [manifest["spec"]["jobTemplate"]["spec"]["template"]]
    if kind == "JobSet":
        return [job["template"]["spec"]["template"] for job in manifest["spec"]["replicatedJobs"]]
    return []


def containers(spec: Manifest) -> list[Manifest]:
    """All containers of a pod, those that run first included."""
    return [*spec.get("initContainers", []), *spec.get("containers", [])]


def namespace(manifest: Manifest) -> str:
    """The namespace of an object; Kubernetes' own default where it names none."""
    found: str = manifest["metadata"].get("namespace", "default")
    return found if found else "default"


def selects(selector: Manifest, labels: Manifest) -> bool:
    """Whether labels match a plain selector or one with ``matchLabels`` and ``matchExpressions``."""
    plain = selector if not {"matchLabels", "matchExpressions"} & selector.keys() else selector.get("matchLabels", {})
    if any(labels.get(key) != value for key, value in plain.items()):
        return False
    return all(_matches(expression, labels) for expression in selector.get("matchExpressions", []))


def _matches(expression: Manifest, labels: Manifest) -> bool:
    value, values = labels.get(expression["key"]), expression.get("values", [])
    matches = {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }
    return matches[expression["operator"]]
