"""NetworkPolicies: what is allowed, and what is denied by default."""

from typing import Any

import pytest

from components import Network, Serving
from components.team_namespace.network_policies import everywhere
from tests.problems import problems
from tests.schemas import assert_valid
from tests.teams import EVERYTHING, objects


def test_dns_and_the_namespace_are_allowed_by_default() -> None:
    made = {role: manifest["spec"] for role, manifest in objects().items() if manifest["kind"] == "NetworkPolicy"}
    assert list(made) == ["allow-dns", "allow-same-namespace", "default-deny"]
    assert made["default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    (dns,) = made["allow-dns"]["egress"]
    assert dns["ports"] == [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]
    assert made["allow-same-namespace"]["ingress"] == [{"from": [{"podSelector": {}}]}]
    assert made["allow-same-namespace"]["egress"] == [{"to": [{"podSelector": {}}]}]


def test_workers_are_excluded_from_the_policy_of_the_namespace() -> None:
    (expression,) = objects()["allow-same-namespace"]["spec"]["podSelector"]["matchExpressions"]
    assert expression == {"key": "ml-platform/network", "operator": "NotIn", "values": ["workers"]}


def test_the_namespace_of_the_dns_servers() -> None:
    (rule,) = objects(network={"dns_namespace": "dns"})["allow-dns"]["spec"]["egress"]
    assert rule["to"] == [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "dns"}}},
        {"ipBlock": {"cidr": "169.254.0.0/16"}},
    ]


def test_peers_are_allowed_and_the_metadata_server_is_not() -> None:
    made = objects(**EVERYTHING)
    monitoring, pipeline, web = (
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}
        for name in ("monitoring", "data-pipeline", "web")
    )
    assert made["allow-from"]["spec"]["ingress"] == [{"from": [monitoring]}]
    internet = {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.169.254/32"]}}
    assert made["allow-to"]["spec"]["egress"] == [{"to": [pipeline, internet]}]
    serving = made["allow-serving"]["spec"]
    assert serving["podSelector"] == {"matchLabels": {"workload-type": "inference"}}
    assert serving["ingress"] == [{"from": [web], "ports": [{"protocol": "TCP", "port": 8080}]}]

    open_to = {"allow_to": {"cidrs": ["0.0.0.0/0", "10.0.0.0/8"]}, "cloud_metadata": True}
    (rule,) = objects(network=open_to)["allow-to"]["spec"]["egress"]
    assert rule["to"] == [{"ipBlock": {"cidr": "0.0.0.0/0"}}, {"ipBlock": {"cidr": "10.0.0.0/8"}}]
    anywhere = objects(network={"serving": {"ports": [8080], "anywhere": True}})["allow-serving"]
    assert anywhere["spec"]["ingress"] == [{"ports": [{"protocol": "TCP", "port": 8080}]}]


def test_a_team_that_serves_accepts_any_client_unless_it_sets_the_clients() -> None:
    assert "allow-serving" not in objects()
    assert objects(serves=True)["allow-serving"]["spec"]["ingress"] == [{}]
    (rule,) = objects(serves=True, network={"serving": {"namespaces": ["ingress"]}})["allow-serving"]["spec"]["ingress"]
    assert list(rule) == ["from"]


def test_the_block_of_the_metadata_server_must_be_allowed_explicitly() -> None:
    block = {"allow_to": {"cidrs": ["10.0.0.0/8", "169.254.169.254/32", "fd00:ec2::254/128"]}}
    found = problems(lambda: Network(**block))  # type: ignore[arg-type]
    assert [(problem.code, problem.property_path()) for problem in found] == [
        ("metadata-server", "allow_to.cidrs[1]"),
        ("metadata-server", "allow_to.cidrs[2]"),
    ]
    (rule,) = objects(network={**block, "cloud_metadata": True})["allow-to"]["spec"]["egress"]
    assert {"ipBlock": {"cidr": "169.254.169.254/32"}} in rule["to"]
    assert_valid(objects(network={"allow_from": block["allow_to"]}))


def test_egress_to_all_addresses_excludes_the_metadata_servers() -> None:
    assert everywhere()["to"] == [
        {"namespaceSelector": {}},
        {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.169.254/32"]}},
        {"ipBlock": {"cidr": "::/0", "except": ["fd00:ec2::254/128"]}},
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "path"),
    [
        ({"ports": [80]}, "exactly-one-of", ""),
        ({"namespaces": ["web"], "anywhere": True}, "exactly-one-of", ""),
        ({"ports": [0], "anywhere": True}, "out-of-range", "ports[0]"),
        ({"namespaces": ["Web"]}, "name-invalid", "namespaces[0]"),
    ],
)
def test_invalid_clients(arguments: dict[str, Any], code: str, path: str) -> None:
    (found,) = problems(lambda: Serving(**arguments))
    assert (found.code, found.property_path()) == (code, path)


@pytest.mark.parametrize(("cidr", "value"), [("10.0.0.1/8", "10.0.0.0/8"), ("internet", None)])
def test_invalid_blocks(cidr: str, value: str | None) -> None:
    (found,) = problems(lambda: Network.of({"allow_to": {"cidrs": [cidr]}}))
    assert (found.code, found.property_path(), found.value) == ("cidr-invalid", "allow_to.cidrs[0]", value)
