"""CIDR blocks, in the notation that Kubernetes accepts."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated

from pydantic import AfterValidator, Field

from .error_table import CIDR_INVALID

# Python also accepts an address without a prefix length, and a netmask instead of it.
_WITH_PREFIX_LENGTH = re.compile(r"[0-9a-fA-F:.]+/(0|[1-9][0-9]{0,2})")


def _cidr(text: str) -> str:
    block = _block(text)
    if block is None or "%" in text:  # a zone index is valid on its own host only
        raise CIDR_INVALID(cidr=text[:60], reason="it is not an address and a prefix length")
    if isinstance(block, IPv6Network) and block.network_address.ipv4_mapped is not None:
        raise CIDR_INVALID(cidr=text, reason="IPv4-mapped IPv6 addresses are invalid; use the IPv4 block")
    if _WITH_PREFIX_LENGTH.fullmatch(text) is None:
        raise CIDR_INVALID(cidr=text, reason="it must end with a prefix length", value=str(block))
    if _block(text, strict=True) is None:
        raise CIDR_INVALID(cidr=text, reason="its address has bits set after the prefix", value=str(block))
    return text


def _block(text: str, *, strict: bool = False) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict=strict)
    except ValueError:
        return None


Cidr = Annotated[str, AfterValidator(_cidr), Field(examples=["10.0.0.0/8"])]
"""A CIDR block: a network address and a prefix length."""
