"""The inventory of a Python program. tests/e2e/test_ownership.py has the behavior with the engine."""

from typing import Any

import pulumi
import pytest

from components import ModelServiceArgs
from components.base.program import entry, tracked
from tests.mocks import deploy

ARGS = ModelServiceArgs.of({"namespace": "lab", "image": "bert:v1"})


@pytest.mark.parametrize(
    ("alias", "names"),
    [
        (pulumi.Alias(name="bert"), ("bert",)),
        ("urn:pulumi:prod::lab::ml-platform:index:ModelService::bert", ("bert",)),
        (pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE), ("ranker",)),
        (pulumi.Output.from_input("urn"), ()),
    ],
)
def test_an_alias_declares_the_former_name(alias: Any, names: tuple[str, ...]) -> None:
    made = entry("ranker", "bert", ARGS, pulumi.ResourceOptions(aliases=[alias]))
    assert made.formerly == names
    assert made.has_moved


def test_a_component_without_an_alias() -> None:
    made = entry("ranker", "bert", ARGS, pulumi.ResourceOptions())
    assert (made.name, made.formerly, made.parent, made.has_moved) == ("bert", (), "", False)


def test_values_that_are_unknown_do_not_warn() -> None:
    args = ModelServiceArgs.of({"namespace": "lab", "image": pulumi.Output.from_input("bert:v1")})
    assert entry("bert", "bert", args, pulumi.ResourceOptions()).fields


def test_the_parent_is_recorded_by_its_type() -> None:
    def program() -> None:
        parent = pulumi.ComponentResource("app:Platform", "platform")
        assert entry("a", "a", ARGS, pulumi.ResourceOptions(parent=parent)).parent == "app:Platform"

    deploy(program)


def test_mocks_have_no_inventory() -> None:
    def program() -> None:
        opts = pulumi.ResourceOptions()
        assert tracked("ModelService", "bert", "bert", ARGS, opts) is opts

    deploy(program)
