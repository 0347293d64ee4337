"""Redaction of secrets."""

import json
from typing import Any

import pytest

from review.redaction import redacted
from review.render import as_json, markdown, text
from tests.policies.secret_names import OTHERS
from tests.review.prod import given, inputs, reviewed

VARIABLES = {
    "a variable": {"name": "HF_TOKEN", "value": "swordfish-0"},
    "a token with a known prefix": {"name": "EXTRA", "value": "hf_swordfishabcdef"},
    "a password in a URL": {"name": "URL", "value": "postgres://nlp:swordfish@db/x"},
    "a private key": {"name": "X", "value": "-----BEGIN RSA PRIVATE KEY-----\nswordfish"},
    "a password of PostgreSQL": {"name": "PGPASSWORD", "value": "swordfish"},
    "a password of MySQL": {"name": "MYSQL_PWD", "value": "swordfish"},
    "a name in camel case": {"name": "clientSecret", "value": "swordfish"},
    "a password in a URL without a user": {"name": "URL", "value": "redis://:swordfish@h"},
    "a bearer token": {"name": "HEADERS", "value": "Accept: */*, Authorization: Bearer swordfish"},
    "basic authorization": {"name": "HEADERS", "value": "Authorization: Basic swordfish"},
    "a variable in a script": {"name": "RUN", "value": "cd /m; export HF_TOKEN='sword swordfish'; serve"},
    "a variable before a command": {"name": "RUN", "value": "HF_TOKEN=swordfish serve"},
    "a line of an env file": {"name": "FILE", "value": "USER=nlp\nHF_TOKEN=the old swordfish\n"},
    "a flag in a script": {"name": "RUN", "value": "serve --lr 5 --hf-token swordfish --tokenizer t"},
    "a flag in a list": {"name": "RUN", "value": '["serve", "--hf-token", "swordfish"]'},
    "a line of YAML": {"name": "FILE", "value": "user: nlp\npassword: the old swordfish\n"},
    "a block scalar of YAML": {"name": "FILE", "value": "password: |\n  the old\n  swordfish\nuser: nlp\n"},
    "a member of JSON": {"name": "FILE", "value": '{"apiKey":"swordfish"}'},
}
ARGUMENTS = [
    ["--token", "swordfish-1"],
    ["--api-key=swordfish-2"],
    ["--hf_token=swordfish-3"],
    ["--hf_token swordfish-4"],
    ["--s3-secret-key=swordfish-5"],
    ["--aws-secret-access-key", "swordfish-6"],
    ["HF_TOKEN=swordfish-7"],
]
KEYS = ("db.password", "db-password", "dbPassword", "dbpassword", "API_KEY", "hub/token2")


@pytest.mark.parametrize("variable", VARIABLES)
def test_no_format_of_a_review_contains_a_secret(variable: str) -> None:
    preview = given()
    spec = inputs(preview, "model-serving-deployment")["spec"]["template"]["spec"]
    spec["containers"][0]["env"] = [VARIABLES[variable]]
    spec["containers"][0]["args"] = [item for argument in ARGUMENTS for item in argument]
    spec["containers"][0]["settings"] = dict.fromkeys(KEYS, "swordfish-8")
    preview["steps"].append(
        {
            "op": "create",
            "urn": "urn:pulumi:prod::ml-platform::kubernetes:core/v1:Secret::hub",
            "newState": {
                "type": "kubernetes:core/v1:Secret",
                "inputs": {
                    "apiVersion": "v1",
                    "kind": "Secret",
                    "metadata": {"name": "hub", "namespace": "ml-training"},
                    "stringData": {"plain": "swordfish-9"},
                },
            },
        }
    )
    review = reviewed(preview)
    for formatted in (markdown(review), text(review), as_json(review)):
        assert "swordfish" not in formatted
    assert "[secret]" in markdown(review)


@pytest.mark.parametrize("argument", [*ARGUMENTS, ["sh", "-c", "export HF_TOKEN=swordfish; serve"]])
def test_only_the_secret_arguments_are_redacted(argument: list[str]) -> None:
    shown = json.dumps(redacted(argument))
    assert "swordfish" not in shown
    assert "[secret]" in shown
    assert redacted([*argument, "--lr=5"])[-1] == "--lr=5"


@pytest.mark.parametrize("key", KEYS)
def test_values_of_keys_that_name_a_secret(key: str) -> None:
    assert redacted({"data": {key: "swordfish"}}) == {"data": {key: "[secret]"}}


def test_the_values_of_a_secret() -> None:
    secret: dict[str, Any] = {"kind": "Secret", "data": {"a": "swordfish"}, "stringData": {"b": "swordfish"}}
    assert redacted(secret) == {"kind": "Secret", "data": {"a": "[secret]"}, "stringData": {"b": "[secret]"}}


@pytest.mark.parametrize("name", OTHERS)
def test_other_values_are_kept(name: str) -> None:
    harmless = {
        "env": [{"name": name, "value": "/m"}],
        "args": [f"--{name}", "5", f"--{name}=5", f"serve --{name} 5 {name}=5"],
        name: "hub",
    }
    assert redacted(harmless) == harmless


def test_the_text_around_a_secret_is_kept() -> None:
    script = "cd /m; export HF_TOKEN='a b'; serve --hf-token c --lr 5"
    assert redacted(script) == "cd /m; export HF_TOKEN=[secret] serve --hf-token [secret] --lr 5"
    assert redacted("user: a\npassword: b c\nport: 1") == "user: a\npassword: [secret]\nport: 1"
    assert redacted("registry/token:v1") == "registry/token:v1"
