"""Formats of secrets."""

import pytest

from review.secret_formats import has_secret_format, is_placeholder, is_random

SECRETS = (
    "AKIAIOSFODNN7EXAMPLE", "xoxb-123456789012-abcdefABCDEF12", "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "sk-ant-api03-abcDEF123", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc123_-", "hf_aBcDeFgHiJkLmNoP",
    "mongodb+srv://a:b@c", "redis://:pw@h", "glpat-aaaaaaaaaaaaaaaaaaaa", "-----BEGIN RSA PRIVATE KEY-----",
)  # fmt: skip
OTHERS = (
    "https://example.com:8080/a@b", "-----BEGIN CERTIFICATE-----", "meta-llama/Llama-3.1-70B-Instruct", "8.8.8.8",
    "sk-preprocess", "http://user@host:80/", "sha256:" + "0123456789abcdef" * 4, "",
)  # fmt: skip


@pytest.mark.parametrize("text", SECRETS)
def test_a_secret(text: str) -> None:
    assert has_secret_format(text)
    assert has_secret_format(f"url={text} --x")


@pytest.mark.parametrize("text", OTHERS)
def test_another_value(text: str) -> None:
    assert not has_secret_format(text)
    assert not is_random(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", True),
        ("AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY", True),
        ("ThisIsALongNameOfAClass1", False),
        ("ABCDEFGHIJKLMNOPQRSTUVWXYZabc123", True),
        ("0123456789abcdef0123456789abcdef", False),
        ("short1A", False),
    ],
)
def test_a_generated_value(text: str, expected: bool) -> None:
    assert is_random(text) == expected


@pytest.mark.parametrize(
    "text", ["", "$(X)", "${X}", "$X", "<token>", "{{ x }}", "/run/x", "true", "None", "12", "***"]
)
def test_a_placeholder(text: str) -> None:
    assert is_placeholder(text)


@pytest.mark.parametrize("text", ["swordfish", "1234", "a/b"])
def test_no_placeholder(text: str) -> None:
    assert not is_placeholder(text)
