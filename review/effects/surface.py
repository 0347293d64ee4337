"""What others rely on: addresses, ports, routes, served versions, ranks and defaults, before and after a change."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from components.base.objects import Manifest
from review import effect_messages as messages
from review.effects.world import Key, World, changed, kind_of
from review.messages import Message

Offers = dict[str, str]
"""Something that others rely on, such as ``port http`` → its value."""

Effect = Literal["added", "changed", "removed"]


@dataclass(frozen=True)
class SurfaceChange:
    """A change of something that others rely on."""

    key: Key
    what: str
    before: str | None
    after: str | None
    whole: bool = False
    """Whether the object as a whole is created or deleted."""

    @property
    def effect(self) -> Effect:
        """Whether others gain it, see it change, or lose it."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"

    def message(self) -> Message:
        """What changes, as text."""
        kind = {"added": messages.OFFERED, "changed": messages.OFFER_NOW, "removed": messages.NOT_OFFERED}[self.effect]
        return kind(what=self.what, before=self.before, after=self.after)


def surface(old: World, new: World) -> list[SurfaceChange]:
    """What changes for others."""
    found = []
    for key, before, after in changed(old, new):
        offered_before = offers(before) if before else {}
        offered = offers(after) if after else {}
        for what in dict.fromkeys([*offered_before, *offered]):
            kept = what.startswith("node port") and what not in offered and "type" in offered  # by the API server
            if offered_before.get(what) != offered.get(what) and not (kept and before and after):
                found.append(
                    SurfaceChange(key, what, offered_before.get(what), offered.get(what), not (before and after))
                )
    return found


def offers(manifest: Manifest) -> Offers:
    """What others rely on in an object."""
    read = _READERS.get(kind_of(manifest))
    return read(manifest) if read else {}


def _service(manifest: Manifest) -> Offers:
    spec = manifest.get("spec") or {}
    kind = spec.get("type") or "ClusterIP"
    found: Offers = {"type": "headless" if spec.get("clusterIP") == "None" else kind}
    ports = spec.get("ports") or []
    for port in ports:
        name = port.get("name") or (str(port["port"]) if len(ports) > 1 else "")
        found[f"port {name}".strip()] = f"{port['port']}/{port.get('protocol') or 'TCP'}"
        if port.get("nodePort") and kind != "ClusterIP":
            found[f"node port {name}".strip()] = str(port["nodePort"])
    for field, default in _SERVICE_FIELDS.items():
        value = spec.get(field, default)
        if value not in (default, None, [], {}):
            found[field] = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    if kind == "LoadBalancer":
        if is_internal(manifest):
            found["load balancer"] = "internal"
        if spec.get("loadBalancerSourceRanges"):
            found["sources"] = ", ".join(spec["loadBalancerSourceRanges"])
    return found


# Fields that clients of a Service notice, with their defaults.
_SERVICE_FIELDS: dict[str, object] = {
    "externalIPs": [],
    "externalName": None,
    "externalTrafficPolicy": "Cluster",
    "internalTrafficPolicy": "Cluster",
    "loadBalancerClass": None,
    "loadBalancerIP": None,
    "publishNotReadyAddresses": False,
    "sessionAffinity": "None",
}


def is_internal(service: Manifest) -> bool:
    """Whether the annotations of the clouds limit a load balancer to the internal network."""
    annotations = (service.get("metadata") or {}).get("annotations") or {}
    return any(
        "load-balancer" in key and (str(value).lower() == "internal" or ("internal" in key and str(value) == "true"))
        for key, value in annotations.items()
    )


def _ingress(manifest: Manifest) -> Offers:
    spec = manifest.get("spec") or {}
    found: Offers = {}
    if spec.get("ingressClassName"):
        found["class"] = spec["ingressClassName"]
    if spec.get("defaultBackend"):
        found["default"] = _backend(spec["defaultBackend"])
    for rule in spec.get("rules") or []:
        for path in (rule.get("http") or {}).get("paths") or []:
            found[f"{rule.get('host') or '*'}{path.get('path') or '/'}"] = _backend(path["backend"])
    for entry in spec.get("tls") or []:
        for host in entry.get("hosts") or []:
            found[f"TLS of {host}"] = "yes"
    return found


def _backend(backend: Manifest) -> str:
    service = backend.get("service")
    if service:
        port = service.get("port") or {}
        return f"{service['name']}:{port.get('name') or port.get('number')}"
    resource = backend.get("resource") or {}
    return f"{resource.get('kind')} {resource.get('name')}"


def _route(manifest: Manifest) -> Offers:
    """A route of the Gateway API, of any protocol."""
    spec = manifest.get("spec") or {}
    found: Offers = {}
    for parent in spec.get("parentRefs") or []:
        found[f"gateway {parent['name']}"] = str(parent.get("sectionName") or "all listeners")
    for rule in spec.get("rules") or []:
        backends = [
            f"{one['name']}:{one.get('port')}" + (f" ({one['weight']})" if one.get("weight", 1) != 1 else "")
            for one in rule.get("backendRefs") or []
        ]
        for match in rule.get("matches") or [{}]:
            for host in spec.get("hostnames") or ["*"]:
                found[f"{host}{_match(match)}"] = " + ".join(backends) or "no backend"
    return found


def _match(match: Manifest) -> str:
    path, method = match.get("path") or {}, match.get("method")
    if isinstance(method, Mapping):  # of gRPC
        return f"/{method.get('service') or '*'}/{method.get('method') or '*'}"
    headers = "".join(f" {one.get('name')}={one.get('value')}" for one in match.get("headers") or [])
    return f"{path.get('value') or '/'}{f' {method}' if method else ''}{headers}"


def _gateway(manifest: Manifest) -> Offers:
    spec = manifest.get("spec") or {}
    return {
        "class": str(spec.get("gatewayClassName")),
        **{
            f"listener {one['name']}": f"{one.get('hostname') or '*'}:{one.get('port')}/{one.get('protocol')}"
            for one in spec.get("listeners") or []
        },
    }


def _definition(manifest: Manifest) -> Offers:
    spec = manifest["spec"]
    served = [version for version in spec.get("versions") or [] if version.get("served")]
    return {f"version {version['name']}": "served" for version in served} | {"scope": str(spec.get("scope"))}


def _priority_class(manifest: Manifest) -> Offers:
    default = {"default": "yes"} if manifest.get("globalDefault") else {}
    preemption = manifest.get("preemptionPolicy") or "PreemptLowerPriority"
    return {"value": str(manifest.get("value", 0)), "preemption": preemption, **default}


def _class(manifest: Manifest) -> Offers:
    """A StorageClass, an IngressClass, or another class."""
    annotations = (manifest.get("metadata") or {}).get("annotations") or {}
    default = any(re.fullmatch(r".*/is-default-class", key) and value == "true" for key, value in annotations.items())
    fields = {
        "provisioner": manifest.get("provisioner"),
        "reclaim policy": manifest.get("reclaimPolicy") or ("Delete" if manifest.get("provisioner") else None),
        "controller": (manifest.get("spec") or {}).get("controller"),
        "handler": manifest.get("handler"),
        "default": "yes" if default else None,
    }
    return {name: str(value) for name, value in fields.items() if value}


ROUTES = {"Ingress", "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"}
"""The kinds that route requests from outside of the cluster to Services."""

_READERS: Mapping[str, Callable[[Manifest], Offers]] = {
    "Service": _service,
    **dict.fromkeys(ROUTES, _route),
    "Ingress": _ingress,
    "Gateway": _gateway,
    "CustomResourceDefinition": _definition,
    "PriorityClass": _priority_class,
    "StorageClass": _class,
    "IngressClass": _class,
    "RuntimeClass": _class,
}


def by_object(changes: Sequence[SurfaceChange]) -> list[tuple[Key, str]]:
    """The changes of each object as one line of text. An object that is new or removed is listed as a whole."""
    found: dict[Key, list[SurfaceChange]] = {}
    for change in changes:
        found.setdefault(change.key, []).append(change)
    lines = []
    for key, of_object in found.items():
        effects = {change.effect for change in of_object if change.whole}
        listed = ", ".join(f"{change.what} {change.after or change.before}" for change in of_object)
        if effects:
            kind = messages.OBJECT_OFFERED if effects == {"added"} else messages.OBJECT_NOT_OFFERED
            lines.append((key, kind(offers=listed).text))
        else:
            lines.append((key, "; ".join(change.message().text for change in of_object)))
    return lines
