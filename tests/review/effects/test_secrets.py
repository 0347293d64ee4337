"""Secrets in plain text."""

import json
from typing import Any

import pytest

from components.base.objects import Manifest
from review.effects.secrets import plain_secrets, secrets
from tests.review.effects.objects import container, deployment, made, pair
from tests.review.proposals import base

KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


def env(value: str, name: str = "X") -> Manifest:
    return deployment(containers=[container(env=[{"name": name, "value": value}])])


def args(*values: str) -> Manifest:
    return deployment(containers=[container(args=list(values))])


def config(**data: str) -> Manifest:
    return made("ConfigMap", "c", data=data)


SECRETS: dict[str, Manifest] = {
    "a token of a provider": env("hf_aBcDeFgHiJkLmNoP"),
    "an access key": env("AKIAIOSFODNN7EXAMPLE"),
    "a generated key": env(KEY),
    "a password in a URL": env("postgres://u:swordfish@db/x"),
    "a flag": args("--hf-token=swordfish"),
    "a flag and its value": args("--hf-token", "swordfish"),
    "a script": args("sh", "-c", "export HF_TOKEN=swordfish; serve"),
    "a key of a ConfigMap": config(password="swordfish"),  # noqa: S106
    "a file of a ConfigMap": config(**{"app.yaml": "user: nlp\npassword: swordfish\n"}),
    "JSON of a ConfigMap": config(**{"app.json": json.dumps({"apiKey": "swordfish"})}),
    "a private key": config(**{"id": "-----BEGIN RSA PRIVATE KEY-----\nabc"}),
    "an annotation": made("Service", "s", annotations={"example.com/token": "swordfish"}),
    "a field of a custom object": made("Cluster", "c", version="x.y/v1", spec={"url": "redis://:swordfish@h"}),
}
OTHERS: dict[str, Manifest] = {
    "a variable in a URL": env("postgres://u:$(PASSWORD)@db/x"),
    "a template": config(**{"app.yaml": "password: ${PASSWORD}\nurl: redis://:{{ password }}@h\n"}),
    "a path": args("--token=/var/run/secrets/token", "--password-file", "/run/p"),
    "a switch": args("--auth-token", "true"),
    "no value": config(password=""),
    "a digest": env("registry/app@sha256:" + "0123456789abcdef" * 4, "IMAGE"),
    "a checksum": made("Service", "s", annotations={"checksum/config": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"}),
    "an identifier": env("123e4567-E89b-12d3-a456-426614174000"),
    "a model": env("meta-llama/Llama-3.1-70B-Instruct", "MODEL"),
    "a certificate": config(ca="-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUJ5w9\n"),
    "a URL": env("https://example.com:8080/a@b"),
    "a limit of tokens": args("--max-tokens", "512"),
    "a reference": deployment(imagePullSecrets=[{"name": "registry"}]),
    "a key of an external secret": made(
        "ExternalSecret", "e", version="x.y/v1", spec={"data": [{"secretKey": "password", "remoteRef": {"key": "db"}}]}
    ),
    "a variable that a policy rule reports": env("swordfish", "DB_PASSWORD"),
}


def codes(before: list[Manifest], after: list[Manifest]) -> list[str]:
    return [message.code for message in secrets(*pair(before, after))]


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret(name: str) -> None:
    assert codes([], [SECRETS[name]]) == ["secret-in-plain-text"]
    assert "swordfish" not in str([message.text for message in secrets(*pair([], [SECRETS[name]]))])


@pytest.mark.parametrize("name", OTHERS)
def test_another_value(name: str) -> None:
    assert codes([], [OTHERS[name]]) == []


def test_secrets_of_before_are_not_new() -> None:
    before = env(KEY)
    assert codes([before], [before]) == []
    assert codes([before], [deployment(containers=[container("d", env=[{"name": "Y", "value": KEY}])])]) == []
    assert codes([before], [env(KEY[::-1])]) == ["secret-in-plain-text"]
    assert codes([before], []) == []


def test_secret_objects_hold_secrets() -> None:
    secret: dict[str, Any] = {"data": {"password": "c3dvcmRmaXNo"}}
    assert codes([], [made("Secret", "s", **secret)]) == []


def test_the_name_of_a_secret_object_is_none() -> None:
    named = args("--token-secret=hub")
    assert codes([], [named]) == ["secret-in-plain-text"]
    assert codes([], [named, made("Secret", "hub")]) == []


def test_the_path_of_a_secret() -> None:
    (message,) = secrets(*pair([], [SECRETS["a flag and its value"]]))
    assert message.values == {"target": "Deployment a/app", "fields": "spec.template.spec.containers[c].args[1]"}


def test_the_prod_stack_has_none() -> None:
    assert [found for manifest in base().values() for found in plain_secrets(manifest)] == []
