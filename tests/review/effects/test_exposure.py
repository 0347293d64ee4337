"""What others lose, and what is opened."""

from typing import Any

import pytest

from components.base.objects import Manifest
from review.effects.exposure import exposure, served_outside
from review.effects.surface import surface
from tests.review.effects.objects import container, deployment, made, pair, service
from tests.review.effects.test_surface import http


def codes(before: list[Manifest], after: list[Manifest]) -> list[str]:
    old, new = pair(before, after)
    return [message.code for message in exposure(surface(old, new), old, new)]


def crd(*versions: str) -> Manifest:
    served = [{"name": version, "served": True} for version in versions]
    return made("CustomResourceDefinition", "x.y", None, "apiextensions.k8s.io/v1", spec={"versions": served})


def storage(name: str, default: str = "true", **fields: Any) -> Manifest:
    annotations = {"storageclass.kubernetes.io/is-default-class": default}
    return made("StorageClass", name, None, "storage.k8s.io/v1", provisioner="p", annotations=annotations, **fields)


def rank(name: str, value: int, *, default: bool = False) -> Manifest:
    return made("PriorityClass", name, None, "scheduling.k8s.io/v1", value=value, globalDefault=default)


TWO = [{"name": "http", "port": 80}, {"name": "grpc", "port": 81}]
OTHER_PORT = service(ports=[{"name": "http", "port": 81}])


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([service(ports=TWO)], [service()], ["offer-removed"]),
        ([service()], [OTHER_PORT], []),
        ([service()], [service(ports=TWO)], []),
        ([service()], [], []),
        ([crd("v1", "v2")], [crd("v2")], ["offer-removed"]),
        ([crd("v1")], [], ["offer-removed"]),
        ([rank("p", 5)], [rank("p", 6)], ["offer-changed"]),
        ([storage("s", "false")], [storage("s", "false", reclaimPolicy="Retain")], ["offer-changed"]),
        ([http(("/a", "s"), ("/b", "s"))], [http(("/a", "s"))], ["offer-removed"]),
        ([http(("/a", "s"))], [http(("/a", "t"))], []),
        ([http(("/a", "s"))], [], ["offer-removed"]),
    ],
    ids=[
        "a port is removed", "another number of a port", "a port is added", "a deleted Service is an interruption",
        "a version is removed", "a definition is deleted", "another rank", "another reclaim policy",
        "a path is removed", "another backend", "an Ingress is deleted",
    ],
)  # fmt: skip
def test_what_others_lose(before: list[Manifest], after: list[Manifest], expected: list[str]) -> None:
    assert codes(before, after) == expected


def test_a_route_that_moves_to_another_object_is_not_lost() -> None:
    moved = http(("/a", "s"))
    moved["metadata"]["name"] = "moved"
    assert codes([http(("/a", "s"))], [moved]) == []


def balancer(*ranges: str, internal: bool = False) -> Manifest:
    spec: dict[str, Any] = {"type": "LoadBalancer", **({"loadBalancerSourceRanges": list(ranges)} if ranges else {})}
    made_service = service(**spec)
    if internal:
        made_service["metadata"]["annotations"] = {"networking.gke.io/load-balancer-type": "Internal"}
    return made_service


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (balancer("10.0.0.0/8"), balancer(), ["opened"]),
        (balancer("10.0.0.0/8"), balancer("10.0.0.0/8", "192.0.2.0/24"), ["opened"]),
        (balancer(internal=True), balancer(), ["opened"]),
        (balancer(), balancer("10.0.0.0/8"), []),
        (balancer(), balancer(internal=True), ["narrowed"]),
        (balancer("10.0.0.0/9", "10.128.0.0/9"), balancer("10.0.0.0/8"), []),
        (balancer("10.0.0.0/8"), balancer("10.0.0.0/8"), []),
    ],
    ids=["everywhere", "one more range", "external", "limited", "internal", "another notation", "the same"],
)
def test_the_clients_of_a_load_balancer(before: Manifest, after: Manifest, expected: list[str]) -> None:
    found = codes([deployment(), before], [deployment(), after])
    assert [code for code in found if code != "exposed"] == expected


def test_defaults_of_the_cluster() -> None:
    assert codes([storage("s")], []) == ["default-removed"]
    assert codes([storage("s")], [storage("s", "false"), storage("t")]) == []
    assert codes([storage("s")], [storage("s"), storage("t")]) == ["defaults-conflict"]
    assert codes([], [rank("p", 5, default=True)]) == ["default-added"]
    assert codes([], [rank("p", 5)]) == []


def user(address: str, namespace: str = "b") -> Manifest:
    return deployment("user", namespace, containers=[container(env=[{"name": "URL", "value": address}])])


@pytest.mark.parametrize(
    ("address", "after", "expected"),
    [
        ("http://app.a:80", [OTHER_PORT], ["address-lost"]),
        ("http://app.a:81", [OTHER_PORT], []),
        ("http://app.a/v1", [], ["address-lost"]),
        ("http://app/v1", [], []),
    ],
    ids=["its port", "another port", "its name", "another namespace"],
)
def test_an_address_in_the_settings_of_others(address: str, after: list[Manifest], expected: list[str]) -> None:
    assert codes([service(), user(address)], [*after, user(address)]) == expected
    settings = made("ConfigMap", "c", "b", data={"url": address})
    assert codes([service(), settings], [*after, settings]) == expected


def test_what_is_lost_by_name() -> None:
    for after, what in (([], "Service a/app"), ([OTHER_PORT], "port 80 of Service a/app")):
        old, new = pair([service(), user("http://app.a:80")], [*after, user("http://app.a:80")])
        (message,) = exposure(surface(old, new), old, new)
        assert message.values == {"what": what, "users": "Deployment b/user"}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([service()], [service(type="LoadBalancer")], ["exposed"]),
        ([service()], [service(type="NodePort")], ["exposed"]),
        ([service()], [service(externalIPs=["1.2.3.4"])], ["exposed"]),
        ([], [service("new", type="LoadBalancer")], ["exposed"]),
        ([service()], [service(), http(("/", "app"))], ["exposed"]),
        ([service(type="LoadBalancer")], [service(type="LoadBalancer"), http(("/", "app"))], []),
        ([service(type="LoadBalancer")], [service()], []),
        ([], [service()], []),
    ],
    ids=[
        "a load balancer", "a node port", "an external address", "a new load balancer", "a route", "a second way",
        "no load balancer", "inside",
    ],
)  # fmt: skip
def test_running_pods_become_reachable_from_outside(
    before: list[Manifest], after: list[Manifest], expected: list[str]
) -> None:
    assert codes([deployment(), *before], [deployment(), *after]) == expected


def test_new_pods_with_their_load_balancer() -> None:
    assert codes([], [deployment(), service(type="LoadBalancer")]) == []


def test_an_internal_load_balancer_opens_less() -> None:
    old, new = pair([deployment(), service()], [deployment(), balancer(internal=True)])
    (message,) = exposure(surface(old, new), old, new)
    assert message.values["after"] == "on ports of the nodes"


def test_workloads_that_clients_outside_use() -> None:
    _, new = pair([], [deployment(), deployment("other"), service(type="LoadBalancer"), service("other", app="other")])
    assert [str(key) for key in served_outside(new)] == ["Deployment a/app"]
