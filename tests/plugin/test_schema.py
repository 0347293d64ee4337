"""The package's schema, which is generated from the argument models."""

import json
from typing import Any

import pulumi
import pytest

from components import ModelService, TeamNamespace
from components.base.arguments import Arguments
from plugin.provider import COMPONENTS
from plugin.schema import outputs, schema, token

SCHEMA = schema(COMPONENTS)


def inputs(component: str) -> dict[str, Any]:
    found: dict[str, Any] = SCHEMA["resources"][f"ml-platform:index:{component}"]["inputProperties"]
    return found


def type_of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = SCHEMA["types"][f"ml-platform:index:{name}"]
    return found


@pytest.mark.parametrize(("component", "model"), COMPONENTS.items())
def test_every_argument_is_an_input_with_a_description(
    component: type[pulumi.ComponentResource], model: type[Arguments]
) -> None:
    properties = inputs(component.__name__)
    assert list(properties) == [field.alias for field in model.model_fields.values()]
    assert all(spec["description"] for spec in properties.values())


def test_every_type_is_described_and_used() -> None:
    referenced = set(json.dumps(SCHEMA).split('"'))
    for name, spec in SCHEMA["types"].items():
        assert f"#/types/{name}" in referenced, name
        if "properties" in spec:
            assert spec["description"], name
            assert all(member["description"] for member in spec["properties"].values()), name


def test_required_and_optional() -> None:
    required = {name: resource["requiredInputs"] for name, resource in SCHEMA["resources"].items()}
    assert required.pop("ml-platform:index:PriorityClasses") == ["classes"]
    assert set(map(tuple, required.values())) == {()}
    assert type_of("SecretKey")["required"] == ["secret", "key"]
    assert type_of("Canary")["required"] == ["image", "weight"]
    assert SCHEMA["resources"]["ml-platform:index:ModelService"]["required"] == ["url"]


def test_choices_are_enumerations() -> None:
    assert inputs("TrainingJob")["waitFor"]["$ref"] == "#/types/ml-platform:index:TrainingJobWaitFor"
    assert [choice["value"] for choice in type_of("TrainingJobWaitFor")["enum"]] == ["start", "completion", "none"]


def test_an_inherited_argument_has_one_enumeration() -> None:
    both = {inputs(kind)["imagePullPolicy"]["$ref"] for kind in ("TrainingJob", "ModelService")}
    assert both == {"#/types/ml-platform:index:WorkloadImagePullPolicy"}


def test_arguments_that_can_be_outputs_are_not_plain() -> None:
    properties = inputs("ModelService")
    plain = {name for name, spec in properties.items() if spec.get("plain")}
    assert plain >= {"replicas", "resources", "health", "nodePool", "command"}
    assert not plain & {"namespace", "image", "env", "team", "volumes", "canary"}
    assert "plain" not in type_of("Volume")["properties"]["claim"]
    assert type_of("Volume")["properties"]["path"]["plain"]


def test_a_team_is_a_reference_to_the_resource() -> None:
    assert inputs("TrainingJob")["team"]["$ref"] == "#/resources/ml-platform:index:TeamNamespace"


def test_a_default_is_stated_and_left_to_the_component() -> None:
    """Arguments that the caller omits are not sent: the models distinguish them from those that are set."""
    replicas = inputs("ModelService")["replicas"]
    assert replicas["description"].endswith("Default: `1`.")
    assert '"default"' not in json.dumps(SCHEMA["resources"])


def test_outputs_are_the_attributes_that_the_component_declares_as_outputs() -> None:
    assert outputs(ModelService) == {"url": "url", "external_address": "externalAddress"}
    assert outputs(TeamNamespace) == {"namespace": "namespace"}
    assert token(ModelService) == "ml-platform:index:ModelService"


class Unsupported(Arguments):
    """A model with a type that Pulumi's schema does not have."""

    value: bytes = b""
    """Bytes."""


class Probe(Arguments):
    """Another model than that of a ModelService's probe."""

    value: int = 1
    """A number."""


class WithProbe(Arguments):
    """A model with it."""

    probe: Probe = Probe()
    """Of the same name."""


def test_an_unsupported_type_is_an_error() -> None:
    with pytest.raises(TypeError, match="bytes"):
        schema({ModelService: Unsupported})


def test_two_types_of_one_name_are_an_error() -> None:
    assert schema({ModelService: WithProbe})["types"].keys() == {"ml-platform:index:Probe"}
    with pytest.raises(TypeError, match="Probe"):
        schema({ModelService: COMPONENTS[ModelService], TeamNamespace: WithProbe})
