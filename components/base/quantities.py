"""Kubernetes resource quantities: ``500m``, ``8Gi``, ``1e3``.

The text that a user wrote goes into the manifest unchanged, since the API server would send a
different spelling back as a difference; sums and comparisons use the exact value.
"""

import re
from decimal import ROUND_CEILING, Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from .errors import refuse

_SUFFIXES = {
    "": Decimal(1),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate("kMGTPE", start=1)},
    **{suffix + "i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", start=1)},
}
_NUMBER = r"[0-9]+(\.[0-9]*)?|\.[0-9]+"
_PATTERN = re.compile(rf"(?P<number>{_NUMBER})((?P<suffix>[numkMGTPE]|[KMGTPE]i)|[eE](?P<exponent>[+-]?[0-9]{{1,2}}))?")


def parse_quantity(quantity: str) -> Decimal:
    """The exact value of a quantity, in its base unit (cores, bytes, pieces).

    Raises ValueError for text that is no quantity.
    """
    match = _PATTERN.fullmatch(quantity)
    if match is None:
        raise ValueError(f"{quantity!r} is not a quantity")
    number = Decimal(match["number"])
    if match["exponent"]:
        return number * Decimal(10) ** int(match["exponent"])
    return number * _SUFFIXES[match["suffix"] or ""]


def format_quantity(value: Decimal, resource: str) -> str:
    """A quantity as people write it: bytes in the largest binary unit, all else as a plain number."""
    suffix = ""
    if "memory" in resource or ("storage" in resource and "claims" not in resource):
        suffix = next((unit for unit in ("Ti", "Gi", "Mi", "Ki") if value >= _SUFFIXES[unit]), "")
    # Rounded up: whoever takes it for a quota has enough.
    number = (value / _SUFFIXES[suffix]).quantize(Decimal("0.001"), ROUND_CEILING)
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") + suffix


def _validated(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise refuse("must be a quantity such as 2, 500m or 8Gi")
    text = str(value)
    if _PATTERN.fullmatch(text) is None:
        near = _nearest(text)
        hint = f": write {near}" if near else ""
        raise refuse(f"{text[:40]!r} is not a Kubernetes quantity such as 2, 500m or 8Gi{hint}", value=near)
    return text


def _nearest(text: str) -> str | None:
    """The quantity that somebody who writes ``8GB``, ``8 gi`` or ``8Gib`` most likely means."""
    match = re.fullmatch(
        rf"\s*(?P<number>{_NUMBER})\s*(?P<unit>[kmgtpe])(?P<binary>i?)(?P<byte>b?)\s*", text, re.IGNORECASE
    )
    if match is None:
        return None
    number, unit, binary, byte = match["number"], match["unit"], match["binary"], match["byte"]
    # m stands for a thousandth, but nobody means one of a byte.
    unit = "m" if unit == "m" and not (binary or byte) else unit.upper()
    return f"{number}{'k' if unit == 'K' and not binary else unit}{'i' if binary else ''}"


def is_whole(quantity: str) -> bool:
    """Whether a quantity is a whole number."""
    return parse_quantity(quantity) == parse_quantity(quantity).to_integral_value()


def counts_bytes(resource: str) -> bool:
    """Whether a resource is a number of bytes."""
    return resource in {"memory", "ephemeral-storage", "storage"} or resource.startswith("hugepages-")


def not_bytes(quantity: str) -> PydanticCustomError | None:
    """What is wrong with a quantity of bytes: it is less than one, or counts parts of one."""
    if quantity[-1:] in {"m", "u", "n"}:
        near = f"{quantity[:-1]}M"
        return refuse(f"{quantity} is a part of a byte: {quantity[-1]} does not stand for megabytes", value=near)
    if 0 < parse_quantity(quantity) < 1:
        return refuse(f"{quantity} is less than a byte", "give it a unit, such as Mi or Gi")
    return None


def _of_bytes(quantity: str) -> str:
    error = not_bytes(quantity)
    if error is not None:
        raise error
    return quantity


def _positive(quantity: str) -> str:
    if parse_quantity(quantity) == 0:
        raise refuse("must be more than 0 (got 0)")
    return quantity


# JSON Schema knows no named groups.
_JSON_PATTERN = f"^({re.sub(r'[?]P<[a-z]+>', '', _PATTERN.pattern)})$"

Quantity = Annotated[
    str,
    BeforeValidator(_validated),
    WithJsonSchema({"type": ["string", "number"], "pattern": _JSON_PATTERN, "examples": ["8Gi"]}),
]
"""A Kubernetes quantity; numbers are taken as their text."""

Positive = Annotated[Quantity, AfterValidator(_positive)]
"""A quantity above 0."""

ByteSize = Annotated[Positive, AfterValidator(_of_bytes)]
"""The size of something that has one."""
