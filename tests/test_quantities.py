"""Quantities: exact values, and the spelling that somebody meant."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from components.base.quantities import ByteSize, Quantity, parse_quantity

ADAPTER: TypeAdapter[str] = TypeAdapter(Quantity)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2", "2"),
        ("500m", "0.5"),
        ("0.5", "0.5"),
        (".5", "0.5"),
        ("1.", "1"),
        ("8Gi", str(8 * 1024**3)),
        ("1k", "1000"),
        ("1Ki", "1024"),
        ("1e3", "1000"),
        ("1E-3", "0.001"),
        ("1E", "1000000000000000000"),
        ("1n", "0.000000001"),
    ],
)
def test_amount(text: str, value: str) -> None:
    assert parse_quantity(text) == Decimal(value)


@pytest.mark.parametrize("text", ["", "8GB", "8 Gi", "-1", "1ki", "Gi", "1e", "eight", "1Gi ", "٣"])
def test_no_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="not a quantity"):
        parse_quantity(text)
    with pytest.raises(ValidationError):
        ADAPTER.validate_python(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("8GB", "8G"),
        ("8 gi", "8Gi"),
        ("8Gib", "8Gi"),
        ("4KB", "4k"),
        ("1 M", "1M"),
        ("512mb", "512M"),
        ("512mib", "512Mi"),
        ("1.5GB", "1.5G"),
    ],
)
def test_the_spelling_that_was_meant(text: str, meant: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        ADAPTER.validate_python(text)
    assert refusal.value.errors()[0]["ctx"]["value"] == meant
    assert ADAPTER.validate_python(meant) == meant


@pytest.mark.parametrize("text", ["1.2.3GB", "..GB", "1,5GB", "٣GB"])
def test_no_spelling_is_suggested_that_would_be_refused_again(text: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        ADAPTER.validate_python(text)
    assert refusal.value.errors()[0]["ctx"]["value"] is None


@pytest.mark.parametrize(
    ("text", "meant"), [("512m", "512M"), ("1.5m", "1.5M"), ("7u", "7M"), ("0.5", None), ("0", None)]
)
def test_a_size_is_at_least_a_byte(text: str, meant: str | None) -> None:
    with pytest.raises(ValidationError) as refusal:
        TypeAdapter(ByteSize).validate_python(text)
    assert refusal.value.errors()[0]["ctx"]["value"] == meant


@given(st.integers(0, 10**12), st.sampled_from(["", "m", "k", "M", "Gi", "Ti"]))
def test_the_text_stays_as_it_was_written(number: int, suffix: str) -> None:
    assert ADAPTER.validate_python(f"{number}{suffix}") == f"{number}{suffix}"


@given(st.text(max_size=12))
def test_any_text_is_either_a_quantity_or_refused(text: str) -> None:
    try:
        value = parse_quantity(text)
    except ValueError:
        with pytest.raises(ValidationError):
            ADAPTER.validate_python(text)
    else:
        assert value >= 0
        assert ADAPTER.validate_python(text) == text
