"""Addresses in the settings of programs."""

import pytest

from review.effects.texts import external_hosts, mentions, settings, settings_of
from review.effects.world import Key, World
from tests.review.effects.objects import container, deployment, made

API = Key("Service", "a", "api")


@pytest.mark.parametrize(
    ("text", "namespace", "expected"),
    [
        ("http://api/v1", "a", True),
        ("api:80", "a", True),
        ("api", "a", True),
        ("--endpoint=api:8080", "a", True),
        ("http://api.a.svc.cluster.local:80", "b", True),
        ("api.a", "b", True),
        ("http://api/v1", "b", False),
        ("api.b", "b", False),
        ("the api is slow", "a", False),
        ("my-api:80", "a", False),
        ("http://api-v2/", "a", False),
        ("api.alpha", "b", False),
        ("registry/api:1", "a", True),
    ],
)
def test_the_address_of_a_service(text: str, namespace: str, expected: bool) -> None:
    assert mentions(text, API, namespace) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("http://api:80/x", True), ("http://api:8080", False), ("api.a.svc:80", True), ("api", False)],
)
def test_the_address_with_a_port(text: str, expected: bool) -> None:
    assert mentions(text, API, "a", "80|81") == expected


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("https://huggingface.co/x", ["huggingface.co"]),
        ("s3://user:x@bucket.example.com", ["bucket.example.com"]),
        ("http://api.a.svc.cluster.local", []),
        ("http://api", []),
        ("file:///tmp/a.b", []),
    ],
)
def test_hosts_outside_of_the_cluster(text: str, hosts: list[str]) -> None:
    assert external_hosts(text) == hosts


def test_the_settings_of_programs() -> None:
    variable = {"name": "URL", "value": "u"}
    app = deployment(
        containers=[container(command=["run"], args=["--x"], env=[variable, {"name": "S"}])],
        volumes=[{"name": "v", "configMap": {"name": "c"}}],
    )
    world = World([app, made("ConfigMap", "c", data={"k": "in the file"}), made("ConfigMap", "empty")])
    assert {text for _, text in settings(world)} == {"run", "--x", "u", "in the file"}
    assert settings_of(world.pods[0], world) == ["run", "--x", "u", "in the file"]
