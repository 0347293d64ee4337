"""Names of a workload's objects."""

from typing import Any

from components import ModelServiceArgs, TrainingJobArgs
from components.model_service import manifests as service_manifests
from components.team_namespace.args import Tenant
from components.training_job import manifests as job_manifests

LAB = Tenant("lab", None)


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
