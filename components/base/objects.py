"""Helpers over plain Kubernetes manifests, and the marker for values that are unknown before deployment."""

import re
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, NoReturn

Manifest = dict[str, Any]


class UnknownValueError(Exception):
    """A result depends on a value that is unknown before deployment."""


class _Unknown:
    """A value that is unknown before deployment. Every operation on it raises UnknownValueError.

    Code that reads manifests is plain Python: it cannot mistake an unknown value for a valid or an invalid one.
    """

    def _raise(self, *_: object) -> NoReturn:
        raise UnknownValueError

    __bool__ = __eq__ = __ne__ = __hash__ = __str__ = __format__ = __int__ = _raise
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __mod__ = _raise
    __lt__ = __le__ = __gt__ = __ge__ = __iter__ = __len__ = __getitem__ = __contains__ = _raise

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
"""The kinds that create pods."""


def pod_templates(manifest: Manifest) -> list[Manifest]:
    """The ``metadata`` and ``spec`` of the pods that an object creates."""
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
    """All containers of a pod, init containers first."""
    return [*spec.get("initContainers", []), *spec.get("containers", [])]


def namespace_of(manifest: Manifest) -> str:
    """The namespace of an object; ``default`` if it sets none. Raises UnknownValueError if it is unknown."""
    found: str = manifest["metadata"].get("namespace", "default")
    return found if found else "default"


def known_namespace_of(manifest: Manifest) -> str | None:
    """The namespace of an object; None if it is unknown before deployment, as that of an output is."""
    try:
        return namespace_of(manifest)
    except UnknownValueError:
        return None


_PERCENTAGE = re.compile(r"([0-9]+)%", re.ASCII)


def int_or_percent(value: int | str, total: int, *, round_up: bool) -> int:
    """A number of pods, or a percentage of the replicas, as Kubernetes resolves an IntOrString.

    It rounds percentages up in ``maxSurge`` and in disruption budgets, and down in ``maxUnavailable`` of a rollout.
    Raises UnknownValueError if the value is unknown, ValueError if it is neither a number nor a percentage.
    """
    match = _PERCENTAGE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return int(value)
    share = Decimal(match[1]) * total / 100
    return int(share.to_integral_value(ROUND_CEILING if round_up else ROUND_FLOOR))


def with_claims(template: Manifest, workload: Manifest) -> Manifest:
    """The pod spec of a template, in which the claims of a StatefulSet's pods are empty volumes."""
    claims = (workload.get("spec") or {}).get("volumeClaimTemplates") or []
    volumes = [{"name": claim["metadata"]["name"], "emptyDir": {}} for claim in claims]
    spec: Manifest = template["spec"]
    return {**spec, "volumes": [*(spec.get("volumes") or []), *volumes]} if volumes else spec


def selects(selector: Manifest, labels: Manifest) -> bool:
    """Whether labels match a plain selector, or one with ``matchLabels`` and ``matchExpressions``."""
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
