"""CIDR blocks: valid ones, and the valid block nearest to an invalid one."""

import pytest

from components.base.cidr import Cidr
from tests.values import problem, validated


@pytest.mark.parametrize("block", ["10.0.0.0/8", "0.0.0.0/0", "203.0.113.7/32", "2001:db8::/32", "2001:0DB8::/32"])
def test_valid_blocks(block: str) -> None:
    assert validated(Cidr, block) == block


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("203.0.113.7", "203.0.113.7/32"),
        ("2001:db8::1", "2001:db8::1/128"),
        ("10.0.0.0/255.0.0.0", "10.0.0.0/8"),
        ("10.0.0.0/0.255.255.255", "10.0.0.0/8"),
        ("10.0.0.0/08", "10.0.0.0/8"),
        ("10.0.0.1/8", "10.0.0.0/8"),
        ("::ffff:10.0.0.0/104", None),
        ("010.0.0.0/8", None),
        ("10.0.0.0/33", None),
        ("fe80::%eth0/64", None),
        ("internet", None),
        ("", None),
    ],
)
def test_invalid_blocks_and_the_suggested_one(text: str, value: str | None) -> None:
    found = problem(Cidr, text)
    assert (found.code, found.value) == ("cidr-invalid", value)
    assert value is None or validated(Cidr, value) == value
