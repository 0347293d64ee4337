"""Where Services, routes and webhooks lead to."""

from typing import Any

import pytest

from components.base.objects import Manifest
from review.effects.backends import backends
from tests.review.effects.objects import container, deployment, made, pair, service
from tests.review.effects.test_surface import http


def codes(before: list[Manifest], after: list[Manifest], *, complete: bool = True) -> list[str]:
    return [message.code for message in backends(*pair(before, after), complete=complete)]


def listening(*ports: tuple[str, int]) -> Manifest:
    declared = [{"name": name, "containerPort": number} for name, number in ports]
    return deployment(containers=[container(ports=declared)])


def to(port: int | str) -> Manifest:
    return service(ports=[{"port": 80, "targetPort": port}])


@pytest.mark.parametrize(
    ("port", "after", "expected"),
    [
        ("http", listening(("web", 8080)), ["target-port-lost"]),
        (8080, listening(("http", 8000)), ["target-port-lost"]),
        (8080, listening(("web", 8080)), []),
        ("http", listening(("http", 8000)), []),
        ("http", listening(), []),
        (9090, listening(("web", 8000)), []),
    ],
    ids=["another name", "another number", "by number", "by name", "nothing is declared", "was not declared before"],
)
def test_a_port_that_pods_no_longer_declare(port: int | str, after: Manifest, expected: list[str]) -> None:
    assert codes([listening(("http", 8080)), to(port)], [after, to(port)]) == expected


def ingress(name: str, cls: str = "nginx", path: str = "/a", **annotations: str) -> Manifest:
    made_ingress = http((path, "app"))
    made_ingress["spec"]["ingressClassName"] = cls
    made_ingress["metadata"] = {"name": name, "namespace": "a", "annotations": annotations}
    return made_ingress


def test_routes_that_conflict() -> None:
    one = [deployment(), service(), ingress("one")]
    assert codes(one, [*one, ingress("two")]) == ["routes-conflict"]
    assert codes([*one, ingress("two")], [*one, ingress("two")]) == []
    assert codes(one, [*one, ingress("two", "internal")]) == []
    assert codes(one, [*one, ingress("two", path="/b")]) == []
    assert codes(one, [*one, ingress("two", **{"nginx.ingress.kubernetes.io/canary": "true"})]) == []


def webhook(**client: Any) -> Manifest:
    hooks = [{"name": "x", "clientConfig": {"service": {"name": "app", "namespace": "a", **client}}}]
    version = "admissionregistration.k8s.io/v1"
    return made("ValidatingWebhookConfiguration", "w", None, version, webhooks=hooks)


@pytest.mark.parametrize("route", [ingress("one"), webhook()], ids=["an Ingress", "a webhook"])
def test_a_service_without_pods(route: Manifest) -> None:
    assert codes([service()], [service(), route]) == ["backend-without-pods"]
    assert codes([service()], [service(), route], complete=False) == []
    assert codes([service(), deployment()], [service(), deployment(), route]) == []
    assert codes([service(), route], [service(), route]) == []
    assert codes([], [service(selector=None), route]) == []
