"""Node pools and what workloads tolerate of them."""

from typing import Any

import pytest

from components import ArgumentError, NodePool, Toleration


@pytest.mark.parametrize(
    ("given", "operator"),
    [
        ({}, "Exists"),
        ({"value": "gpu"}, "Equal"),
        ({"value": ""}, "Equal"),
        ({"operator": "Exists"}, "Exists"),
        ({"operator": "Equal"}, "Equal"),
        ({"operator": "Equal", "value": "gpu"}, "Equal"),
    ],
)
def test_a_toleration_with_a_value_is_of_that_value(given: dict[str, Any], operator: str) -> None:
    value = {"value": given["value"]} if "value" in given else {}
    assert Toleration(key="sku", **given).manifest() == {"key": "sku", "operator": operator, **value}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"tolerations": [{"key": "sku", "operator": "Exists", "value": "gpu"}]},
            "tolerations[0].operator: Exists tolerates any value, and one is given\n  set Equal, or remove value",
        ),
        ({"gpu_resource": "cpu"}, "gpu_resource: cpu is not a resource of a device plugin: its name has a domain"),
    ],
)
def test_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError) as refusal:
        NodePool(**given)
    assert message in str(refusal.value)
