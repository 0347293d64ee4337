"""The provider that constructs the components for programs in other languages."""

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
from plugin.provider import COMPONENTS, Components
from plugin.schema import schema
from tests.mocks import Deployment, deploy
from tests.problems import errors

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "in-yaml" / "Pulumi.yaml"


@pytest.fixture
def provider() -> Iterator[Components]:
    """The provider, whose registrations end with the test: Pulumi starts a process for each."""
    modules = dict(rpc._RESOURCE_MODULES)
    yield Components()
    rpc._RESOURCE_MODULES.clear()
    rpc._RESOURCE_MODULES.update(modules)


def construct(provider: Components, kind: str, name: str, given: dict[str, Any]) -> pulumi.Output[str]:
    result = provider.construct(name, f"ml-platform:index:{kind}", given, pulumi.ResourceOptions())
    return pulumi.Output.from_input(result.urn)


def test_the_package_has_the_version_and_the_schema_of_the_components(provider: Components) -> None:
    package = schema(COMPONENTS)
    assert provider.version == package["version"] == VERSION
    assert json.loads(provider.schema or "") == package
    assert PriorityClassesArgs in COMPONENTS.values()


def test_a_reference_to_a_team_resolves_to_the_team(provider: Components) -> None:
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
        service = {"team": team, "image": "server:v1", "replicas": 2}
        assert {code for code, _ in errors(lambda: construct(provider, "ModelService", "service", service))} == {
            "quota-exceeded"
        }

    deployment: Deployment = deploy(program)
    job = deployment["job-job"].inputs["metadata"]
    assert (job["namespace"], job["labels"]["team"]) == ("nlp", "nlp")


def test_a_team_of_another_program_is_an_error(provider: Components) -> None:
    def reference() -> None:
        provider._teams.construct("nlp", "ml-platform:index:TeamNamespace", "urn:pulumi:a::b::c::nlp")

    assert errors(reference) == [("foreign-team", "")]
    with pytest.raises(ArgumentError, match=r"^TeamNamespace nlp: "):
        reference()


def test_the_example_in_yaml_makes_the_objects_of_its_arguments(provider: Components) -> None:
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


def test_integral_numbers_are_integers_at_any_depth(provider: Components) -> None:
    """The plugin protocol passes every number as a float."""
    given = {
        "namespace": "ml",
        "image": "a",
        "replicas": 2.0,
        "health": {"readiness": {"tcp": True, "periodSeconds": 5.0}},
        "initContainers": [{"name": "stage", "resources": {"requests": {"cpu": 1.0}}}],
    }
    deployment = deploy(lambda: construct(provider, "ModelService", "bert", given))
    spec = deployment["bert-deployment"].inputs["spec"]
    assert spec["replicas"] == 2
    pod = spec["template"]["spec"]
    assert pod["containers"][0]["readinessProbe"]["periodSeconds"] == 5
    assert pod["initContainers"][0]["resources"]["requests"]["cpu"] == "1"


def test_invalid_arguments_are_reported_by_the_callers_paths_with_code_and_fix(provider: Components) -> None:
    invalid = {"namespace": "ml", "image": "a", "startupBudgetSeconds": 0.0, "service": {"nodePort": 30080.0}}
    with pytest.raises(InputPropertiesError) as error:
        provider.construct("bert", "ml-platform:index:ModelService", invalid)
    assert error.value.errors is not None
    reasons = {problem["property_path"]: problem["reason"] for problem in error.value.errors}
    assert reasons.keys() == {"startupBudgetSeconds", "service.nodePort"}
    assert reasons["startupBudgetSeconds"].endswith(" [out-of-range]")
    message, fix = reasons["service.nodePort"].split(" [requires]: ")
    assert "type: NodePort" in message
    assert "type: NodePort" in fix


@pytest.mark.parametrize("name", ["node_port", "nodeport"])
def test_arguments_are_in_camel_case_only(provider: Components, name: str) -> None:
    invalid = {"namespace": "ml", "image": "a", "service": {name: 30080.0}}
    with pytest.raises(InputPropertiesError) as error:
        provider.construct("bert", "ml-platform:index:ModelService", invalid)
    assert error.value.errors is not None
    ((path, reason),) = [(problem["property_path"], problem["reason"]) for problem in error.value.errors]
    assert path == f"service.{name}"
    assert "[unknown-key]" in reason
