"""The public interface of the package."""

import pytest

import components
from components import ModelServiceArgs, NodePool, PriorityClassesArgs, TeamNamespaceArgs, TrainingJobArgs
from tests.argument_models import Model, nested


@pytest.mark.parametrize("model", [ModelServiceArgs, NodePool, PriorityClassesArgs, TeamNamespaceArgs, TrainingJobArgs])
def test_every_model_that_an_argument_can_hold_is_exported(model: Model) -> None:
    assert {held.__name__ for held in nested(model)} <= set(components.__all__)
    for held in nested(model):
        assert getattr(components, held.__name__) is held


def test_names_are_listed_once_and_exist() -> None:
    assert len(components.__all__) == len(set(components.__all__))
    for name in components.__all__:
        assert hasattr(components, name)
