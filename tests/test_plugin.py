"""The package for other languages says what the argument models say."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from pulumi.errors import InputPropertiesError
from pulumi.runtime import rpc

from components import VERSION, ArgumentError, PriorityClassesArgs
from components.base.arguments import Arguments
from plugin.provider import COMPONENTS, Components
from plugin.schema import schema
from tests.mocks import Deployment, deploy

SCHEMA = schema(COMPONENTS)
EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "in-yaml" / "Pulumi.yaml"


def inputs(component: str) -> dict[str, Any]:
    found: dict[str, Any] = SCHEMA["resources"][f"ml-platform:index:{component}"]["inputProperties"]
    return found


def typed(name: str) -> dict[str, Any]:
    found: dict[str, Any] = SCHEMA["types"][f"ml-platform:index:{name}"]
    return found


@pytest.fixture
def provider() -> Iterator[Components]:
    """The provider, as alone in its process as it is when Pulumi starts it."""
    modules = dict(rpc._RESOURCE_MODULES)
    yield Components()
    rpc._RESOURCE_MODULES.clear()
    rpc._RESOURCE_MODULES.update(modules)


def construct(provider: Components, kind: str, name: str, given: dict[str, Any]) -> pulumi.Output[str]:
    result = provider.construct(name, f"ml-platform:index:{kind}", given, pulumi.ResourceOptions())
    return pulumi.Output.from_input(result.urn)


@pytest.mark.parametrize(("component", "model"), COMPONENTS.items())
def test_every_argument_is_there_with_its_description(
    component: type[pulumi.ComponentResource], model: type[Arguments]
) -> None:
    properties = inputs(component.__name__)
    assert list(properties) == [field.alias for field in model.model_fields.values()]
    assert all(spec["description"] for spec in properties.values())


def test_every_type_is_described_and_referred_to() -> None:
    referred = set(json.dumps(SCHEMA).split('"'))
    for token, spec in SCHEMA["types"].items():
        assert f"#/types/{token}" in referred, token
        if "properties" in spec:
            assert spec["description"], token
            assert all(member["description"] for member in spec["properties"].values()), token


def test_required_and_optional() -> None:
    required = {token: resource["requiredInputs"] for token, resource in SCHEMA["resources"].items()}
    assert required.pop("ml-platform:index:PriorityClasses") == ["classes"]
    assert set(map(tuple, required.values())) == {()}
    assert typed("SecretKey")["required"] == ["secret", "key"]
    assert typed("Canary")["required"] == ["image", "weight"]
    assert SCHEMA["resources"]["ml-platform:index:ModelService"]["required"] == ["url"]


def test_choices_are_enumerations() -> None:
    assert inputs("TrainingJob")["waitFor"]["$ref"] == "#/types/ml-platform:index:TrainingJobWaitFor"
    assert [choice["value"] for choice in typed("TrainingJobWaitFor")["enum"]] == ["start", "completion", "none"]
    both = {inputs(kind)["imagePullPolicy"]["$ref"] for kind in ("TrainingJob", "ModelService")}
    assert both == {"#/types/ml-platform:index:WorkloadImagePullPolicy"}


def test_what_may_be_an_output_is_not_plain() -> None:
    properties = inputs("ModelService")
    plain = {name for name, spec in properties.items() if spec.get("plain")}
    assert plain >= {"replicas", "resources", "health", "nodePool", "command"}
    assert not plain & {"namespace", "image", "env", "team", "volumes", "canary"}
    assert "plain" not in typed("Volume")["properties"]["claim"]
    assert typed("Volume")["properties"]["path"]["plain"]


def test_a_default_is_said_and_left_to_the_component() -> None:
    """An argument that the caller leaves out is not sent: the models tell it from one that is given."""
    replicas = inputs("ModelService")["replicas"]
    assert replicas["description"].endswith("Default: `1`.")
    assert '"default"' not in json.dumps(SCHEMA["resources"])


def test_a_reference_to_a_team_becomes_the_team(provider: Components) -> None:
    def program() -> pulumi.Output[Any]:
        urn = construct(provider, "TeamNamespace", "nlp", {"quota": {"pods": "2"}})
        return urn.apply(lambda urn: workloads(urn))

    def workloads(urn: str) -> None:
        team = provider._teams.construct("nlp", "ml-platform:index:TeamNamespace", urn)
        given = {
            "team": team,
            "image": "server:v1",
            "waitFor": "none",
            "secretEnv": {"KEY": {"secret": "s", "key": "k"}},
        }
        construct(provider, "TrainingJob", "job", given)
        with pytest.raises(ArgumentError, match="pods"):
            construct(provider, "ModelService", "service", {"team": team, "image": "server:v1", "replicas": 2})

    deployment: Deployment = deploy(program)
    job = deployment["job-job"].inputs["metadata"]
    assert (job["namespace"], job["labels"]["team"]) == ("nlp", "nlp")


def test_the_example_in_yaml_says_what_the_components_take(provider: Components) -> None:
    """Its arguments make the objects; on the real engine, the plugin is called with the same ones."""
    text = EXAMPLE.read_text(encoding="utf-8")
    declared = yaml.safe_load(text)["resources"]

    def program() -> pulumi.Output[Any]:
        team = declared["vision"]
        urn = construct(provider, team["type"].split(":")[-1], "vision", team["properties"])
        return urn.apply(lambda urn: workloads(urn))

    def workloads(urn: str) -> None:
        team = provider._teams.construct("vision", "ml-platform:index:TeamNamespace", urn)
        for name in ("classify", "resnet"):
            given = {**declared[name]["properties"], "team": team}
            construct(provider, declared[name]["type"].split(":")[-1], name, given)

    deployment: Deployment = deploy(program)
    assert deployment["classify-job"].inputs["spec"]["completions"] == 2
    assert deployment["resnet-deployment"].inputs["metadata"]["labels"]["model-version"] == "v1.2"
    components = {resource.type for resource in deployment.resources if not resource.request.custom}
    assert components == {resource["type"].replace(":", ":index:") for resource in declared.values()}


def test_a_team_of_somewhere_else_is_refused(provider: Components) -> None:
    with pytest.raises(pulumi.RunError, match="give namespace instead"):
        provider._teams.construct("nlp", "ml-platform:index:TeamNamespace", "urn:pulumi:a::b::c::nlp")


def test_all_that_is_wrong_is_told_by_the_callers_own_paths(provider: Components) -> None:
    wrong = {"namespace": "ml", "image": "a", "startupBudgetSeconds": 0.0, "resources": {"requests": {"cpu": "8GB"}}}
    with pytest.raises(InputPropertiesError) as error:
        provider.construct("bert", "ml-platform:index:ModelService", wrong)
    assert error.value.errors is not None
    told = {problem["property_path"]: problem["reason"] for problem in error.value.errors}
    assert told["startupBudgetSeconds"] == "must be at least 1 (got 0)"
    assert "write 8G" in told["resources.requests.cpu"]


def test_the_version_is_that_of_the_components(provider: Components) -> None:
    assert provider.version == SCHEMA["version"] == VERSION
    assert json.loads(provider.schema or "") == SCHEMA
    assert PriorityClassesArgs in COMPONENTS.values()
