from components import ModelServiceArgs, NodePool
from components.pod.resources import Resources
from components.pod.volumes import Checkpoints, Volume
from config.entries import TrainingJobSettings
from docs.reference_models import SHARED, files, models_in, with_nested


def test_a_model_of_one_component_is_on_its_page() -> None:
    assert files()[TrainingJobSettings] == files()[Checkpoints] == "training-job.md"


def test_a_model_of_several_components_is_on_the_shared_page() -> None:
    assert files()[Volume] == files()[Resources] == SHARED


def test_nested_models_are_in_the_order_of_the_arguments() -> None:
    nested = list(with_nested(TrainingJobSettings))
    assert nested[0] is TrainingJobSettings
    assert nested.index(Resources) < nested.index(Volume) < nested.index(Checkpoints)


def test_what_a_stack_refers_to_by_name_is_not_nested() -> None:
    assert NodePool not in list(with_nested(ModelServiceArgs))


def test_models_in_a_type() -> None:
    assert list(models_in(dict[str, list[Volume] | None])) == [Volume]
