"""Blocks of IP addresses, as Kubernetes writes them."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated

from pydantic import AfterValidator, Field

from .errors import refuse

# Python also reads a block without its length, and one with a netmask in its place.
_WITH_LENGTH = re.compile(r"[0-9a-fA-F:.]+/(0|[1-9][0-9]{0,2})")


def _cidr(text: str) -> str:
    block = _block(text)
    if block is None or "%" in text:  # the zone of an address, which only its own host knows
        raise refuse(f"{text[:60]!r} is not an address block such as 10.0.0.0/8")
    if isinstance(block, IPv6Network) and block.network_address.ipv4_mapped is not None:
        raise refuse(f"{text} maps IPv4 addresses into IPv6, which Kubernetes refuses", "write the IPv4 block itself")
    if _WITH_LENGTH.fullmatch(text) is None:
        raise refuse(f"{text} is not an address block: it ends with the length of a prefix", value=str(block))
    if _block(text, strict=True) is None:
        raise refuse(f"{text} is not the beginning of its block", value=str(block))
    return text


def _block(text: str, *, strict: bool = False) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict=strict)
    except ValueError:
        return None


Cidr = Annotated[str, AfterValidator(_cidr), Field(examples=["10.0.0.0/8"])]
"""A block of addresses: the first of them, and the length of the prefix that they share."""
