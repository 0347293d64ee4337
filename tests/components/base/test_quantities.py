"""Quantities: exact values, canonical text, and the quantity nearest to an invalid one."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.base.quantities import (
    ByteSize,
    PositiveQuantity,
    Quantity,
    byte_error,
    counts_bytes,
    format_quantity,
    is_whole,
    parse_quantity,
)
from tests.values import problem, validated


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
def test_values(text: str, value: str) -> None:
    assert parse_quantity(text) == Decimal(value)


@pytest.mark.parametrize("text", ["", "8GB", "8 Gi", "-1", "1ki", "Gi", "1e", "eight", "1Gi ", "٣"])
def test_text_that_is_not_a_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="not a quantity"):
        parse_quantity(text)
    assert problem(Quantity, text).code == "quantity-invalid"


@pytest.mark.parametrize("value", [True, None, ["1"], {}])
def test_values_that_are_not_quantities(value: Any) -> None:
    assert problem(Quantity, value).code == "wrong-type"


@pytest.mark.parametrize(
    ("text", "value"),
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
def test_the_suggested_quantity(text: str, value: str) -> None:
    assert problem(Quantity, text).value == value
    assert validated(Quantity, value) == value


@pytest.mark.parametrize("text", ["1.2.3GB", "..GB", "1,5GB", "٣GB"])
def test_no_invalid_quantity_is_suggested(text: str) -> None:
    assert problem(Quantity, text).value is None


@pytest.mark.parametrize(
    ("text", "code", "value"),
    [
        ("512m", "quantity-fraction", "512M"),
        ("1.5m", "quantity-fraction", "1.5M"),
        ("7u", "quantity-fraction", "7M"),
        ("0.5", "quantity-fraction", None),
        ("0", "quantity-zero", None),
    ],
)
def test_a_size_is_at_least_a_byte(text: str, code: str, value: str | None) -> None:
    found = problem(ByteSize, text)
    assert (found.code, found.value) == (code, value)


def test_zero_is_not_positive() -> None:
    assert problem(PositiveQuantity, "0Gi").code == "quantity-zero"
    assert validated(PositiveQuantity, "1m") == "1m"


@given(st.integers(0, 10**12), st.sampled_from(["", "m", "k", "M", "Gi", "Ti"]))
def test_the_text_is_unchanged(number: int, suffix: str) -> None:
    assert validated(Quantity, f"{number}{suffix}") == f"{number}{suffix}"


@pytest.mark.parametrize(("number", "text"), [(2, "2"), (0.5, "0.5")])
def test_a_number_is_converted_to_text(number: float, text: str) -> None:
    assert validated(Quantity, number) == text


@given(st.text(max_size=12))
def test_any_text_is_a_quantity_or_a_problem(text: str) -> None:
    try:
        value = parse_quantity(text)
    except ValueError:
        assert problem(Quantity, text).code == "quantity-invalid"
    else:
        assert value >= 0
        assert validated(Quantity, text) == text


@given(st.decimals(min_value=0, max_value=10**15, places=3), st.sampled_from(["cpu", "requests.memory", "pods"]))
def test_a_formatted_quantity_is_large_enough(value: Decimal, resource: str) -> None:
    again = parse_quantity(format_quantity(value, resource))
    assert value <= again
    assert again - value <= value / 500 + Decimal("0.001")


@pytest.mark.parametrize(
    ("value", "resource", "text"),
    [("40", "requests.cpu", "40"), ("72.5Gi", "limits.memory", "72.5Gi"), ("1500m", "cpu", "1.5"), ("0", "pods", "0")],
)
def test_canonical_text(value: str, resource: str, text: str) -> None:
    assert format_quantity(parse_quantity(value), resource) == text


@pytest.mark.parametrize(("quantity", "whole"), [("2", True), ("2000m", True), ("2.5", False), ("1e-9", False)])
def test_whole_numbers(quantity: str, whole: object) -> None:
    assert is_whole(quantity) is whole


@pytest.mark.parametrize(
    ("resource", "is_bytes"),
    [("memory", True), ("ephemeral-storage", True), ("hugepages-2Mi", True), ("cpu", False), ("nvidia.com/gpu", False)],
)
def test_resources_in_bytes(resource: str, is_bytes: object) -> None:
    assert counts_bytes(resource) is is_bytes


@pytest.mark.parametrize("quantity", ["0", "1", "1.5", "8Gi", "1e3"])
def test_valid_numbers_of_bytes(quantity: str) -> None:
    assert byte_error(quantity) is None
