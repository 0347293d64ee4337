"""How clients reach a model: Service, Ingress and HTTPRoute."""

from typing import Any

import pytest

from components.model_service.networking import address
from tests.model_services import OPTIONS, arguments, container, objects
from tests.problems import errors, problems


def test_the_service_forwards_to_the_container_port() -> None:
    made = objects(port=9000, service={"name": "api", "port": 8000})
    assert made["service"]["metadata"]["name"] == "api"
    assert made["service"]["spec"]["ports"] == [{"name": "http", "port": 8000, "targetPort": 9000}]
    assert container(port=9000)["ports"] == [{"name": "http", "containerPort": 9000}]
    assert container(port=9000)["readinessProbe"]["httpGet"]["port"] == 9000


def test_service_types() -> None:
    assert objects()["service"]["spec"]["type"] == "ClusterIP"
    balanced = objects(**OPTIONS["LoadBalancer"])["service"]
    assert balanced["spec"]["type"] == "LoadBalancer"
    assert balanced["spec"]["loadBalancerSourceRanges"] == ["203.0.113.0/24", "2001:db8::/32"]
    assert balanced["metadata"]["annotations"] == {"cloud.example/internal": "true"}
    not_awaited = objects(**OPTIONS["LoadBalancer without waiting"])["service"]
    assert not_awaited["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true"}
    node_port = objects(**OPTIONS["NodePort with a chosen port"])["service"]
    assert node_port["spec"]["ports"][0]["nodePort"] == 30080


def test_an_external_name_is_an_alias_of_another_host() -> None:
    assert objects(**OPTIONS["ExternalName"])["service"]["spec"] == {
        "type": "ExternalName",
        "externalName": "models.example.com",
        "ports": [{"name": "http", "port": 80}],
    }


def test_an_ingress_forwards_to_the_service() -> None:
    made = objects(**OPTIONS["Ingress"], service={"name": "api", "port": 8000})["ingress"]
    assert made["spec"]["ingressClassName"] == "nginx"
    assert made["spec"]["tls"] == [{"hosts": ["models.example.com"], "secretName": "certificate"}]
    (rule,) = made["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    assert (rule["host"], path["path"]) == ("models.example.com", "/bert")
    assert path["backend"] == {"service": {"name": "api", "port": {"number": 8000}}}
    not_awaited = objects(ingress={"host": "a.example", "await_address": False})["ingress"]
    assert not_awaited["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true"}


def test_a_route_forwards_to_the_service() -> None:
    spec = objects(**OPTIONS["HTTPRoute"])["route"]["spec"]
    assert spec["parentRefs"] == [{"name": "public", "namespace": "gateways"}]
    assert spec["hostnames"] == ["models.example.com"]
    assert spec["rules"] == [
        {
            "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
            "backendRefs": [{"name": "bert", "port": 80, "weight": 100}],
        }
    ]


@pytest.mark.parametrize(
    ("service", "code", "path"),
    [
        ({"name": "1st"}, "name-invalid", "service.name"),
        ({"node_port": 30080}, "requires", "service.node_port"),
        ({"type": "NodePort", "node_port": 80}, "out-of-range", "service.node_port"),
        ({"type": "External"}, "not-one-of", "service.type"),
        ({"source_ranges": ["10.0.0.0/8"]}, "requires", "service.source_ranges"),
        ({"type": "LoadBalancer", "source_ranges": ["10.0.0.1/8"]}, "cidr-invalid", "service.source_ranges[0]"),
        ({"type": "LoadBalancer", "source_ranges": ["203.0.113.7"]}, "cidr-invalid", "service.source_ranges[0]"),
        ({"await_address": False}, "requires", "service.await_address"),
        ({"external_name": "a.example"}, "requires", "service.external_name"),
        ({"type": "ExternalName"}, "requires", "service.type"),
    ],
)
def test_invalid_services(service: dict[str, Any], code: str, path: str) -> None:
    assert errors(lambda: arguments(service=service)) == [(code, path)]


def test_the_fix_names_the_type_that_an_argument_requires() -> None:
    (problem,) = problems(lambda: arguments(service={"node_port": 30080}))
    assert problem.fix
    assert "type: NodePort" in problem.fix


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}}, "203.0.113.7"),
        ({"loadBalancer": {"ingress": [{"hostname": "a.example", "ip": "203.0.113.7"}]}}, "a.example"),
        ({"loadBalancer": {"ingress": []}}, None),
        ({"loadBalancer": {}}, None),
        ({}, None),
        (None, None),
    ],
)
def test_the_address_of_a_load_balancer(status: Any, expected: str | None) -> None:
    assert address(status) == expected
