"""Changes of reachability that need attention."""

from typing import Any

import pytest

from components.base.objects import Manifest
from review.effects.isolation import isolation
from review.effects.reachability import reachability
from tests.review.effects.objects import container, deployment, made, pair, policy, service

WEB = deployment("web", containers=[container(ports=[{"containerPort": 8080}])])
API = service("web", app="web", ports=[{"port": 80, "targetPort": 8080}])


def client(address: str, namespace: str = "b") -> Manifest:
    return deployment("client", namespace, containers=[container(args=[address])])


USER = client("http://web.a/v1")
DENY = policy("deny", policyTypes=["Ingress"])


def codes(common: list[Manifest], before: list[Manifest], after: list[Manifest]) -> list[str]:
    compared = reachability(*pair([*common, *before], [*common, *after]))
    return [message.code for one in compared for message in isolation(one)]


def egress(*to: Manifest, namespace: str = "a", ports: list[Manifest] | None = None) -> Manifest:
    rule: dict[str, Any] = {"to": list(to), **({"ports": ports} if ports else {})}
    return policy("out", namespace, policyTypes=["Egress"], egress=[rule])


DNS_RULE = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}
EVERYWHERE: Manifest = {"namespaceSelector": {}}


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (egress(EVERYWHERE), []),
        (egress(DNS_RULE, {"podSelector": {}}), []),
        (egress(DNS_RULE, ports=[{"port": 53, "protocol": "UDP"}]), []),
        (egress({"ipBlock": {"cidr": "169.254.20.10/32"}}), []),
        (egress(DNS_RULE, ports=[{"port": 53}]), ["dns-lost"]),
        (egress({"podSelector": {}}), ["dns-lost"]),
    ],
    ids=["all namespaces", "its namespace", "its port", "the cache of the node", "TCP only", "its own namespace only"],
)
def test_dns(after: Manifest, expected: list[str]) -> None:
    assert codes([WEB], [], [after]) == expected


def test_pods_without_dns_before() -> None:
    assert codes([WEB, egress({"podSelector": {}})], [], [policy("deny")]) == []


def test_a_connection_that_a_client_uses() -> None:
    assert codes([WEB, API, USER], [], [DENY]) == ["connection-lost"]
    assert codes([WEB, API, client("http://other.a")], [], [DENY]) == []
    assert codes([WEB, USER], [], [DENY]) == []
    allowed = policy("p", ingress=[{"ports": [{"port": 8080}]}])
    assert codes([WEB, API, USER], [], [DENY, allowed]) == []
    assert codes([WEB, API, USER], [], [policy("p", ingress=[{"ports": [{"port": 80}]}])]) == ["connection-lost"]


def test_clients_of_one_service_are_one_message() -> None:
    users = [client("web.a:80"), {**client("web.a:80", "c")}]
    (compared,) = reachability(*pair([WEB, API, *users], [WEB, API, *users, DENY]))
    (message,) = isolation(compared)
    assert message.values == {
        "source": "Deployment b/client, Deployment c/client",
        "destinations": "Deployment a/web",
        "ports": "8080",
    }


def test_clients_outside_of_the_cluster() -> None:
    balancer = {**API, "spec": {**API["spec"], "type": "LoadBalancer"}}
    assert codes([WEB, balancer], [], [DENY]) == ["connection-lost"]
    assert codes([WEB, API], [], [DENY]) == []
    office = policy("office", ingress=[{"from": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]}])
    assert codes([WEB, balancer], [], [office]) == []


def test_hosts_outside_of_the_cluster() -> None:
    out = egress(EVERYWHERE, namespace="b")
    assert codes([client("https://huggingface.co")], [], [out]) == ["connection-lost"]
    assert codes([WEB, client("http://web.a")], [], [out]) == []
    allowed = egress(EVERYWHERE, {"ipBlock": {"cidr": "0.0.0.0/0"}}, namespace="b")
    assert codes([client("https://huggingface.co")], [], [allowed]) == []


def job(pods: int) -> Manifest:
    template = {"metadata": {"labels": {"app": "j"}}, "spec": {"containers": [container()]}}
    return made(
        "Job", "j", version="batch/v1", spec={"parallelism": pods, "completionMode": "Indexed", "template": template}
    )


@pytest.mark.parametrize(("pods", "expected"), [(4, ["connection-lost"]), (1, [])])
def test_pods_that_work_together(pods: int, expected: list[str]) -> None:
    assert codes([job(pods)], [], [DENY]) == expected


def test_the_credentials_of_the_node() -> None:
    closed = egress(EVERYWHERE, {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.169.254/32"]}})
    opened = egress(EVERYWHERE, {"ipBlock": {"cidr": "0.0.0.0/0"}})
    assert codes([WEB], [closed], [opened]) == ["metadata-opened"]
    assert codes([WEB], [opened], [closed]) == []
    of_dns = egress(EVERYWHERE, {"ipBlock": {"cidr": "169.254.0.0/16"}}, ports=[{"port": 53, "protocol": "UDP"}])
    assert codes([WEB], [closed], [of_dns]) == []


def opening(*ports: int) -> Manifest:
    return policy("open", ingress=[{"ports": [{"port": port} for port in ports]} if ports else {}])


def test_pods_that_are_opened() -> None:
    assert codes([WEB], [DENY], []) == ["connections-opened"]
    assert codes([WEB], [DENY], [DENY, opening(8080)]) == ["connections-opened"]
    assert codes([WEB], [DENY], [DENY, opening(9090)]) == []
    one = policy(
        "p", ingress=[{"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "b"}}}]}]
    )
    assert codes([WEB, USER], [DENY], [DENY, one]) == []


def test_a_namespace_without_pods_that_is_opened() -> None:
    empty = [made("Namespace", "a", None)]
    everybody = policy("p", ingress=[{"from": [{"namespaceSelector": {}}]}])
    assert codes(empty, [DENY], [DENY, everybody]) == ["connections-opened"]


def test_pods_that_declare_no_port() -> None:
    assert codes([deployment()], [DENY], [DENY, opening(9090)]) == []
    assert codes([deployment()], [DENY], [DENY, opening()]) == ["connections-opened"]
