"""NetworkPolicies as Kubernetes specifies them."""

from typing import Any

import pytest

from components.base.objects import Manifest
from review.effects.network import METADATA, Network, Peer, Port, addresses, policy_types, ports_of
from tests.review.effects.objects import policy

WEB = Peer("a", {"app": "web"}, {"team": "x"}, (("TCP", 8080, "http"),))
JOB = Peer("a", {"app": "job"}, {"team": "x"})
ELSEWHERE = Peer("b", {"app": "web"}, {"team": "y"})
OUTSIDE = Peer(address="203.0.113.7")
PORTS = [Port("TCP", 0, 79), Port("TCP", 80, 80), Port("TCP", 81, 8079), Port("TCP", 8080, 8080), Port("UDP", 53, 53)]
ALL = (1 << len(PORTS)) - 1


def allowed(source: Peer, destination: Peer, *policies: Manifest) -> list[Port]:
    bits = Network(policies, PORTS).allowed(source, destination)
    return [port for index, port in enumerate(PORTS) if bits >> index & 1]


def ingress(*peers: Manifest, ports: list[Manifest] | None = None, **spec: Any) -> Manifest:
    return policy("p", ingress=[{"from": list(peers), **({"ports": ports} if ports else {})}], **spec)


def test_without_policies_everything_is_allowed() -> None:
    assert allowed(WEB, ELSEWHERE) == PORTS


def test_an_isolated_pod_accepts_nothing_and_still_connects() -> None:
    denied = policy("p")
    assert allowed(JOB, WEB, denied) == []
    assert allowed(WEB, ELSEWHERE, denied) == PORTS
    assert allowed(WEB, ELSEWHERE, policy("p", policyTypes=["Egress"])) == []


def test_policies_add_up() -> None:
    assert allowed(JOB, WEB, policy("p"), ingress({"podSelector": {}})) == PORTS


@pytest.mark.parametrize(
    ("peer", "from_job", "from_elsewhere", "from_outside"),
    [
        ({"podSelector": {}}, True, False, False),
        ({"podSelector": {"matchLabels": {"app": "web"}}}, False, False, False),
        ({"namespaceSelector": {}}, True, True, False),
        ({"namespaceSelector": {"matchLabels": {"team": "y"}}}, False, True, False),
        ({"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "web"}}}, False, True, False),
        (
            {"namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["y"]}]}},
            True,
            False,
            False,
        ),
        ({"ipBlock": {"cidr": "203.0.113.0/24"}}, False, False, True),
        ({"ipBlock": {"cidr": "203.0.113.0/24", "except": ["203.0.113.7/32"]}}, False, False, False),
        ({"ipBlock": {"cidr": "0.0.0.0/0"}}, True, True, True),
        ({"ipBlock": {"cidr": "::/0"}}, True, True, False),
    ],
)
def test_the_peers_of_a_rule(peer: Manifest, from_job: bool, from_elsewhere: bool, from_outside: bool) -> None:
    found = [bool(allowed(source, WEB, ingress(peer))) for source in (JOB, ELSEWHERE, OUTSIDE)]
    assert found == [from_job, from_elsewhere, from_outside]


def test_a_rule_without_peers_allows_all() -> None:
    assert allowed(OUTSIDE, WEB, policy("p", ingress=[{}])) == PORTS


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        ([{"port": 80}], [PORTS[1]]),
        ([{"port": 0, "endPort": 80}], PORTS[:2]),
        ([{"port": "http"}], [PORTS[3]]),
        ([{"port": "http", "protocol": "UDP"}], []),
        ([{"protocol": "TCP"}], PORTS[:4]),
        ([{"port": 53, "protocol": "UDP"}, {"port": 80}], [PORTS[1], PORTS[4]]),
        ([{"port": 80, "protocol": "SCTP"}], []),
    ],
)
def test_the_ports_of_a_rule(ports: list[Manifest], expected: list[Port]) -> None:
    assert allowed(JOB, WEB, ingress(ports=ports)) == expected


def test_a_named_port_of_egress_is_one_of_the_destination() -> None:
    rule = {"to": [{"podSelector": {}}], "ports": [{"port": "http"}]}
    assert allowed(JOB, WEB, policy("p", policyTypes=["Egress"], egress=[rule])) == [PORTS[3]]
    assert allowed(WEB, JOB, policy("p", policyTypes=["Egress"], egress=[rule])) == []


@pytest.mark.parametrize(
    ("spec", "types"),
    [
        ({}, {"ingress"}),
        ({"egress": [{}]}, {"ingress", "egress"}),
        ({"policyTypes": ["Egress"]}, {"egress"}),
    ],
)
def test_the_default_of_the_policy_types(spec: dict[str, Any], types: set[str]) -> None:
    assert policy_types(policy("p", **spec)) == types


def test_intervals_of_ports() -> None:
    rules = [{"ports": [{"port": 8000, "endPort": 8100}, {"port": 90, "protocol": "SCTP"}]}]
    found = ports_of([policy("p", ingress=rules)], [WEB])
    assert Port("TCP", 8000, 8079) in found
    assert Port("TCP", 8080, 8080) in found
    assert Port("TCP", 8081, 8100) in found
    assert Port("SCTP", 90, 90) in found
    assert sum(port.last - port.first + 1 for port in found if port.protocol == "UDP") == 65536


def test_regions_of_addresses() -> None:
    block = {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}
    found = addresses([ingress(block)], "169.254.20.10")
    assert {"10.0.0.0", "10.1.0.0", "10.2.0.0", "11.0.0.0", METADATA, "169.254.20.10"} <= set(found)
    assert len(found) == 9
    assert "::" in addresses([ingress({"ipBlock": {"cidr": "fc00::/7"}})])
