"""What others rely on, before and after a change."""

from typing import Any

import pytest

from components.base.objects import Manifest
from review.effects.surface import SurfaceChange, by_object, is_internal, offers, surface
from tests.review.effects.objects import made, pair, service

BALANCED: dict[str, Any] = {"type": "LoadBalancer"}


def http(*paths: tuple[str, str], host: str = "h") -> Manifest:
    rules = [{"path": path, "backend": {"service": {"name": name, "port": {"name": "http"}}}} for path, name in paths]
    return made(
        "Ingress", "i", version="networking.k8s.io/v1", spec={"rules": [{"host": host, "http": {"paths": rules}}]}
    )


def changes(before: list[Manifest], after: list[Manifest]) -> list[tuple[str, str | None, str | None]]:
    return [(one.what, one.before, one.after) for one in surface(*pair(before, after))]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, {"type": "ClusterIP", "port http": "80/TCP"}),
        ({"clusterIP": "None"}, {"type": "headless", "port http": "80/TCP"}),
        ({"ports": [{"port": 1}]}, {"type": "ClusterIP", "port": "1/TCP"}),
        ({"ports": [{"port": 1}, {"port": 2, "protocol": "UDP"}]}, {"type": "ClusterIP", "port 1": "1/TCP", "port 2": "2/UDP"}),
        (
            {"type": "NodePort", "ports": [{"port": 1, "nodePort": 30001}]},
            {"type": "NodePort", "port": "1/TCP", "node port": "30001"},
        ),
        (
            {"ports": [], "type": "LoadBalancer", "loadBalancerSourceRanges": ["10.0.0.0/8"], "sessionAffinity": "ClientIP"},
            {"type": "LoadBalancer", "sources": "10.0.0.0/8", "sessionAffinity": "ClientIP"},
        ),
        ({"ports": [], "type": "ExternalName", "externalName": "x.y"}, {"type": "ExternalName", "externalName": "x.y"}),
        ({"ports": [], "externalIPs": ["1.2.3.4", "5.6.7.8"]}, {"type": "ClusterIP", "externalIPs": "1.2.3.4, 5.6.7.8"}),
    ],
)  # fmt: skip
def test_the_offers_of_a_service(spec: dict[str, Any], expected: dict[str, str]) -> None:
    assert offers(service(**spec)) == expected


@pytest.mark.parametrize(
    ("annotation", "value", "internal"),
    [
        ("networking.gke.io/load-balancer-type", "Internal", True),
        ("service.beta.kubernetes.io/aws-load-balancer-scheme", "internal", True),
        ("service.beta.kubernetes.io/azure-load-balancer-internal", "true", True),
        ("service.beta.kubernetes.io/aws-load-balancer-scheme", "internet-facing", False),
        ("example.com/internal", "true", False),
    ],
)
def test_an_internal_load_balancer(annotation: str, value: str, internal: bool) -> None:
    balancer = made("Service", "s", annotations={annotation: value}, spec=BALANCED)
    assert is_internal(balancer) == internal
    assert ("load balancer" in offers(balancer)) == internal


def test_the_offers_of_routes() -> None:
    assert offers(http(("/a", "s"), ("/b", "t"))) == {"h/a": "s:http", "h/b": "t:http"}
    full = made(
        "Ingress",
        "i",
        version="networking.k8s.io/v1",
        spec={
            "ingressClassName": "nginx",
            "defaultBackend": {"resource": {"kind": "Bucket", "name": "b"}},
            "tls": [{"hosts": ["h"]}],
        },
    )
    assert offers(full) == {"class": "nginx", "default": "Bucket b", "TLS of h": "yes"}
    route = made(
        "HTTPRoute",
        "r",
        version="gateway.networking.k8s.io/v1",
        spec={
            "parentRefs": [{"name": "g"}],
            "hostnames": ["h"],
            "rules": [
                {
                    "matches": [{"path": {"value": "/a"}, "method": "GET", "headers": [{"name": "x", "value": "y"}]}],
                    "backendRefs": [{"name": "s", "port": 80, "weight": 9}, {"name": "t", "port": 80}],
                },
                {"backendRefs": []},
            ],
        },
    )
    assert offers(route) == {"gateway g": "all listeners", "h/a GET x=y": "s:80 (9) + t:80", "h/": "no backend"}
    grpc = made(
        "GRPCRoute",
        "r",
        version="gateway.networking.k8s.io/v1",
        spec={"rules": [{"matches": [{"method": {"service": "S"}}], "backendRefs": [{"name": "s", "port": 1}]}]},
    )
    assert offers(grpc) == {"*/S/*": "s:1"}


OTHERS: list[tuple[Manifest, dict[str, str]]] = [
    (
        made(
            "Gateway",
            "g",
            version="gateway.networking.k8s.io/v1",
            spec={"gatewayClassName": "c", "listeners": [{"name": "web", "port": 80, "protocol": "HTTP"}]},
        ),
        {"class": "c", "listener web": "*:80/HTTP"},
    ),
    (
        made(
            "CustomResourceDefinition",
            "x.y",
            None,
            "apiextensions.k8s.io/v1",
            spec={"scope": "Cluster", "versions": [{"name": "v1", "served": True}, {"name": "v0", "served": False}]},
        ),
        {"version v1": "served", "scope": "Cluster"},
    ),
    (
        made("PriorityClass", "p", None, "scheduling.k8s.io/v1", value=5, globalDefault=True),
        {"value": "5", "preemption": "PreemptLowerPriority", "default": "yes"},
    ),
    (
        made(
            "StorageClass",
            "s",
            None,
            "storage.k8s.io/v1",
            provisioner="p",
            annotations={"storageclass.kubernetes.io/is-default-class": "true"},
        ),
        {"provisioner": "p", "reclaim policy": "Delete", "default": "yes"},
    ),
    (made("RuntimeClass", "r", None, "node.k8s.io/v1", handler="h"), {"handler": "h"}),
    (made("ConfigMap", "c", data={"a": "b"}), {}),
]


@pytest.mark.parametrize(("manifest", "expected"), OTHERS, ids=[one["kind"] for one, _ in OTHERS])
def test_the_offers_of_other_objects(manifest: Manifest, expected: dict[str, str]) -> None:
    assert offers(manifest) == expected


def test_the_difference() -> None:
    assert changes([service()], [service(type="NodePort", ports=[{"name": "grpc", "port": 81}])]) == [
        ("type", "ClusterIP", "NodePort"),
        ("port http", "80/TCP", None),
        ("port grpc", None, "81/TCP"),
    ]
    assert changes([service()], [service()]) == []
    assert [one.effect for one in surface(*pair([service()], []))] == ["removed", "removed"]


def test_a_node_port_that_the_api_server_has_assigned_is_kept() -> None:
    live = service(type="NodePort", ports=[{"name": "http", "port": 80, "nodePort": 30001}])
    assert changes([live], [service(type="NodePort")]) == []


def test_changes_as_text() -> None:
    (line,) = by_object(surface(*pair([service()], [service(ports=[{"name": "grpc", "port": 81}])])))
    assert line[1] == "port http: 80/TCP → removed; port grpc: 81/TCP (new)"
    (line,) = by_object(surface(*pair([], [service()])))
    assert line[1] == "new: type ClusterIP, port http 80/TCP"
    (line,) = by_object(surface(*pair([service()], [])))
    assert line[1] == "removed: type ClusterIP, port http 80/TCP"
    ((key, text),) = by_object([SurfaceChange(line[0], "type", "ClusterIP", "NodePort")])
    assert (str(key), text) == ("Service a/app", "type: ClusterIP → NodePort")
