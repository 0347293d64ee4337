"""Address blocks: what Kubernetes takes, and what was meant by what it refuses."""

import pytest
from pydantic import TypeAdapter, ValidationError

from components.base.cidr import Cidr

ADAPTER: TypeAdapter[str] = TypeAdapter(Cidr)


@pytest.mark.parametrize("block", ["10.0.0.0/8", "0.0.0.0/0", "203.0.113.7/32", "2001:db8::/32", "2001:0DB8::/32"])
def test_blocks(block: str) -> None:
    assert ADAPTER.validate_python(block) == block


@pytest.mark.parametrize(
    ("text", "meant"),
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
def test_what_kubernetes_refuses_and_what_was_meant(text: str, meant: str | None) -> None:
    with pytest.raises(ValidationError) as refusal:
        ADAPTER.validate_python(text)
    assert refusal.value.errors()[0]["ctx"]["value"] == meant
