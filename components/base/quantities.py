"""Kubernetes resource quantities: ``500m``, ``8Gi``, ``1e3``.

The text that a user wrote goes into the manifest unchanged: the API server returns it as written, and another
notation of the same value would show up as a change. Sums and comparisons use the exact value.
"""

import re
from decimal import ROUND_CEILING, Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from .error_table import QUANTITY_FRACTION, QUANTITY_INVALID, QUANTITY_ZERO, WRONG_TYPE

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
    """The exact value of a quantity, in its base unit (cores, bytes, items).

    Raises ValueError if the text is not a quantity.
    """
    match = _PATTERN.fullmatch(quantity)
    if match is None:
        raise ValueError(f"{quantity!r} is not a quantity")
    number = Decimal(match["number"])
    if match["exponent"]:
        return number * Decimal(10) ** int(match["exponent"])
    return number * _SUFFIXES[match["suffix"] or ""]


def format_quantity(value: Decimal, resource: str) -> str:
    """The canonical text of a quantity: bytes in the largest binary unit, anything else as a plain number.

    Rounded up to three decimals, so that a quota of this quantity is large enough.
    """
    suffix = ""
    if "memory" in resource or ("storage" in resource and "claims" not in resource):
        suffix = next((unit for unit in ("Ti", "Gi", "Mi", "Ki") if value >= _SUFFIXES[unit]), "")
    number = (value / _SUFFIXES[suffix]).quantize(Decimal("0.001"), ROUND_CEILING)
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") + suffix


def _validated(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise WRONG_TYPE(type="a quantity such as 2, 500m or 8Gi", got="")
    text = str(value)
    if _PATTERN.fullmatch(text) is None:
        raise QUANTITY_INVALID(quantity=text[:40], value=_nearest(text))
    return text


def _nearest(text: str) -> str | None:
    """The quantity that ``8GB``, ``8 gi`` or ``8Gib`` most likely stands for."""
    match = re.fullmatch(
        rf"\s*(?P<number>{_NUMBER})\s*(?P<unit>[kmgtpe])(?P<binary>i?)(?P<byte>b?)\s*", text, re.IGNORECASE
    )
    if match is None:
        return None
    number, unit, binary, byte = match["number"], match["unit"], match["binary"], match["byte"]
    # The suffix m means milli; in a number of bytes it most likely stands for mega.
    unit = "m" if unit == "m" and not (binary or byte) else unit.upper()
    return f"{number}{'k' if unit == 'K' and not binary else unit}{'i' if binary else ''}"


def is_whole(quantity: str) -> bool:
    """Whether a quantity is a whole number."""
    return parse_quantity(quantity) == parse_quantity(quantity).to_integral_value()


def counts_bytes(resource: str) -> bool:
    """Whether a resource is a number of bytes."""
    return resource in {"memory", "ephemeral-storage", "storage"} or resource.startswith("hugepages-")


def byte_error(quantity: str) -> PydanticCustomError | None:
    """The error of a quantity that is not a whole number of bytes; None for a valid one."""
    if quantity[-1:] in {"m", "u", "n"}:
        fix = f"the suffix {quantity[-1]} means {_SUBMULTIPLES[quantity[-1]]}"
        return QUANTITY_FRACTION(quantity=quantity, unit="bytes", fix=fix, value=f"{quantity[:-1]}M")
    if 0 < parse_quantity(quantity) < 1:
        return QUANTITY_FRACTION(quantity=quantity, unit="bytes", fix="add a unit such as Mi or Gi")
    return None


_SUBMULTIPLES = {"m": "milli", "u": "micro", "n": "nano"}


def _of_bytes(quantity: str) -> str:
    error = byte_error(quantity)
    if error is not None:
        raise error
    return quantity


def _positive(quantity: str) -> str:
    if parse_quantity(quantity) == 0:
        raise QUANTITY_ZERO()
    return quantity


# JSON Schema has no named groups.
_JSON_PATTERN = f"^({re.sub(r'[?]P<[a-z]+>', '', _PATTERN.pattern)})$"

Quantity = Annotated[
    str,
    BeforeValidator(_validated),
    WithJsonSchema({"type": ["string", "number"], "pattern": _JSON_PATTERN, "examples": ["8Gi"]}),
]
"""A Kubernetes quantity; a number is converted to its text."""

PositiveQuantity = Annotated[Quantity, AfterValidator(_positive)]
"""A quantity above 0."""

ByteSize = Annotated[PositiveQuantity, AfterValidator(_of_bytes)]
"""A size in bytes, greater than 0."""
