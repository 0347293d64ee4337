"""The names, team and namespace of a workload's objects."""

from typing import Any

import pytest

from components import (
    ArgumentError,
    ModelServiceArgs,
    TeamNamespace,
    TeamNamespaceArgs,
    TrainingJob,
    TrainingJobArgs,
)
from components.model_service import manifests as service_manifests
from components.team_namespace.args import Tenant
from components.training_job import manifests as job_manifests
from tests.mocks import deploy
from tests.problems import errors

LAB = Tenant("lab", None)


def _job(**arguments: Any) -> TrainingJobArgs:
    return TrainingJobArgs.of({"namespace": "ml", "image": "trainer:v1", **arguments})


def names(manifests: object) -> set[str]:
    assert isinstance(manifests, dict)
    return {manifest["metadata"]["name"] for manifest in manifests.values()}


def test_objects_are_named_after_the_component_or_by_name() -> None:
    service = ModelServiceArgs(namespace="lab", image="a:v1")
    assert names(service_manifests("bert", service, LAB)) == {"bert"}
    assert service_manifests("bert", service.model_copy(update={"name": "old"}), LAB) == service_manifests(
        "old", service, LAB
    )
    job = TrainingJobArgs(namespace="lab", image="a:v1", run_id="2")
    assert names(job_manifests("bert", job.model_copy(update={"name": "old"}), LAB)) == {"old", "old-2"}


def test_the_main_container_is_named_by_its_component_or_by_container_name() -> None:
    given: dict[str, Any] = {"namespace": "lab", "image": "a:v1"}
    assert ModelServiceArgs(**given).main_container() == "server"
    assert TrainingJobArgs(**given).main_container() == "trainer"
    assert ModelServiceArgs(**given, container_name="main").main_container() == "main"


def test_team_and_namespace_are_mutually_exclusive() -> None:
    def program() -> None:
        TrainingJob("bert", {"team": TeamNamespace("nlp", {}), "namespace": "ml", "image": "a:b"})

    assert errors(lambda: deploy(program)) == [("exactly-one-of", "team")]


def test_the_tenant_of_a_namespace_has_no_team() -> None:
    tenant = _job().tenant()
    assert (tenant.namespace, tenant.team, tenant.quota) == ("ml", None, {})
    assert _job().dependencies() == []


def test_the_tenant_of_a_team() -> None:
    found: list[Any] = []

    def program() -> None:
        team = TeamNamespace("nlp", {"name": "ml-nlp", "team": "language", "quota": {"pods": "5"}})
        args = _job(namespace=None, team=team)
        found.append((args.tenant(), args.dependencies() == [team]))

    deploy(program)
    expected = TeamNamespaceArgs(name="ml-nlp", team="language", quota={"pods": "5"}).tenant("nlp")
    assert found == [(expected, True)]


def test_a_team_by_name_must_be_resolved() -> None:
    by_name = _job().model_copy(update={"namespace": None, "team": "nlp"})
    with pytest.raises(ValueError, match="resolve_team"):
        by_name.tenant()
    found: list[Any] = []

    def program() -> None:
        team = TeamNamespace("nlp", {})
        found.append(by_name.resolve_team({"nlp": team}).team is team)

    deploy(program)
    assert found == [True]
    assert _job().resolve_team({}) == _job()


def test_a_workload_that_exceeds_the_quota_is_not_registered() -> None:
    def program() -> None:
        TrainingJob("bert", {"team": TeamNamespace("nlp", {"quota": {"pods": "0"}}), "image": "a:b"})

    with pytest.raises(ArgumentError) as error:
        deploy(program)
    assert [(p.code, p.property_path()) for p in error.value.problems] == [
        ("quota-exceeded", "TeamNamespace nlp.quota.pods")
    ]
