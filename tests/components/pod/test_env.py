"""Environment variables and references to Secrets."""

from typing import Any

import pulumi
import pytest

from components import SecretKey
from components.pod.env import Env, EnvValue
from tests.problems import errors
from tests.values import problem, validated


@pytest.mark.parametrize(("value", "text"), [("x", "x"), (3, "3"), (True, "true"), (1e-4, "0.0001")])
def test_values_of_yaml_are_converted_to_text(value: Any, text: str) -> None:
    assert validated(EnvValue, value) == text


def test_an_output_is_accepted() -> None:
    output = pulumi.Output.from_input("x")
    assert validated(EnvValue, output) is output


@pytest.mark.parametrize(("env", "code"), [({"1A": "x"}, "name-invalid"), ({"A": ["x"]}, "wrong-type")])
def test_invalid_variables(env: Any, code: str) -> None:
    assert problem(Env, env).code == code


def test_a_key_of_a_secret_is_a_reference() -> None:
    assert SecretKey.of({"secret": "hub", "key": "token"}).manifest() == {
        "secretKeyRef": {"name": "hub", "key": "token"}
    }


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"secret": "Hub", "key": "token"}, ("name-invalid", "secret")),
        ({"secret": "hub", "key": "a/b"}, ("invalid", "key")),
        ({"secret": "hub"}, ("required", "key")),
    ],
)
def test_invalid_keys_of_secrets(arguments: dict[str, Any], error: tuple[str, str]) -> None:
    assert errors(lambda: SecretKey(**arguments)) == [error]
