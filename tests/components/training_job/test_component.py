"""The component TrainingJob: its children, names, options and outputs."""

from typing import Any

import pulumi
import pytest

from components import TeamNamespace, TrainingJob, TrainingJobArgs
from tests.mocks import deploy
from tests.problems import errors
from tests.trainings import arguments

TORCHRUN: dict[str, Any] = {"workers": 8, "distributed": "torchrun"}
GROUP: dict[str, Any] = {**TORCHRUN, "restart": "group"}


def test_children_are_registered_after_the_team() -> None:
    def program() -> None:
        team = TeamNamespace("nlp", {"quota": {"pods": 5}})
        TrainingJob("bert", {"team": team, "image": "trainer:v1", "timeout_seconds": 1200})

    deployment = deploy(program)
    assert deployment.children("bert") == {
        "bert-service-account": "kubernetes:core/v1:ServiceAccount",
        "bert-job": "kubernetes:batch/v1:Job",
    }
    child = deployment["bert-job"]
    assert child.inputs["metadata"]["namespace"] == "nlp"
    assert child.inputs["metadata"]["labels"]["team"] == "nlp"
    assert {urn.split("::")[-1] for urn in child.request.dependencies} >= {"nlp-namespace", "nlp-quota"}
    assert child.request.customTimeouts.create == "1200s"
    assert deployment.outputs["bert"] == {
        "jobName": "bert",
        "namespace": "nlp",
        "selector": "batch.kubernetes.io/job-name=bert",
        "logs": "kubectl logs --namespace nlp --follow --prefix --max-log-requests 17 "
        "--selector batch.kubernetes.io/job-name=bert",
    }


def test_arguments_are_a_model_or_a_mapping_in_snake_case_or_camel_case() -> None:
    for args in (
        TrainingJobArgs(namespace="lab", image="trainer:v1", shared_memory="1Gi"),
        {"namespace": "lab", "image": "trainer:v1", "shared_memory": "1Gi"},
        {"namespace": "lab", "image": "trainer:v1", "sharedMemory": "1Gi"},
    ):
        deployment = deploy(lambda args=args: TrainingJob("bert", args))  # type: ignore[misc]
        volumes = deployment["bert-job"].inputs["spec"]["template"]["spec"]["volumes"]
        assert volumes[1]["emptyDir"]["sizeLimit"] == "1Gi"


def test_arguments_can_be_outputs() -> None:
    def program() -> None:
        image, namespace = pulumi.Output.from_input("built:abc"), pulumi.Output.from_input("lab")
        TrainingJob("bert", {"image": image, "namespace": namespace})

    child = deploy(program)["bert-job"]
    assert child.inputs["spec"]["template"]["spec"]["containers"][0]["image"] == "built:abc"
    assert child.inputs["metadata"]["namespace"] == "lab"


def test_a_preview_before_anything_exists() -> None:
    def program() -> None:
        team = TeamNamespace("nlp", {})
        TrainingJob("bert", {"team": team, "image": "trainer:v1"})

    deployment = deploy(program, preview=True)
    assert "bert-job" in deployment.names()


def test_children_inherit_the_components_provider_but_not_its_other_options() -> None:
    def program() -> None:
        provider = pulumi.ProviderResource("kubernetes", "other-cluster", {})
        options = pulumi.ResourceOptions(providers=[provider], aliases=[pulumi.Alias(name="old")], protect=True)
        TrainingJob("bert", {"namespace": "lab", "image": "trainer:v1"}, options)

    child = deploy(program)["bert-job"]
    assert "other-cluster" in child.request.provider
    assert not list(child.request.aliases)


def test_a_run_id_is_in_the_name_of_the_run_only() -> None:
    deployment = deploy(lambda: TrainingJob("bert", arguments(run_id="2")))
    assert deployment["bert-job"].inputs["metadata"]["name"] == "bert-2"
    assert deployment["bert-service-account"].inputs["metadata"]["name"] == "bert"
    assert deployment.outputs["bert"]["jobName"] == "bert-2"


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("b" * 60, {"run_id": "2024"}),
        ("b" * 62, {"workers": 8}),
        ("b" * 56, {"workers": 2}),  # the Service is named <name>-workers
        ("b" * 46, {"workers": 2, "restart": "group"}),  # the operator's own names are longer
        ("3d-unet", {"workers": 2}),  # the name of a Service must start with a letter
    ],
)
def test_a_name_is_invalid_if_those_of_the_objects_and_pods_would_be(name: str, given: dict[str, Any]) -> None:
    assert errors(lambda: deploy(lambda: TrainingJob(name, arguments(**given)))) == [("name-invalid", "name")]


def test_the_previous_run_is_deleted_first_by_default() -> None:
    request = deploy(lambda: TrainingJob("bert", arguments()))["bert-job"].request
    assert (request.deleteBeforeReplace, request.retainOnDelete) == (True, False)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ({}, ""),
        ({"timeout_seconds": 20}, "20s"),
        ({"wait_for": "completion", "timeout_seconds": 20}, "20s"),
        ({"wait_for": "completion", "deadline_seconds": 3600}, "3900s"),
        ({"wait_for": "completion"}, "604800s"),
        ({"deadline_seconds": 3600}, ""),
    ],
)
def test_the_timeout_is_set_on_the_children(given: dict[str, Any], seconds: str) -> None:
    timeouts = deploy(lambda: TrainingJob("bert", arguments(**given)))["bert-job"].request.customTimeouts
    assert (timeouts.create, timeouts.update) == (seconds, seconds)


@pytest.mark.parametrize(("retries", "seconds"), [(0, "3900s"), (2, "11100s")])
def test_the_timeout_of_a_group_covers_the_deadlines_of_all_its_starts(retries: int, seconds: str) -> None:
    args = arguments(**GROUP, retries=retries, deadline_seconds=3600, wait_for="completion")
    deployment = deploy(lambda: TrainingJob("bert", args))
    assert deployment["bert-jobset"].request.customTimeouts.create == seconds


@pytest.mark.parametrize(
    ("given", "selector"),
    [
        (TORCHRUN, "batch.kubernetes.io/job-name=bert"),
        (GROUP, "jobset.sigs.k8s.io/jobset-name=bert"),
        ({"controller": "pod", "labels": {"app": "ml"}}, "app=ml"),
    ],
)
def test_the_selector_is_that_of_the_runs_pods(given: dict[str, Any], selector: str) -> None:
    outputs = deploy(lambda: TrainingJob("bert", arguments(**given))).outputs["bert"]
    assert outputs["selector"] == selector
    assert outputs["logs"].endswith(f"--selector {selector}")


@pytest.mark.parametrize(
    ("given", "pods"),
    [
        ({"retries": 0}, 1 + 10),
        ({"retries": 2}, 3 + 10),
        ({**TORCHRUN, "retries": 2}, 24 + 10),
        ({**GROUP, "retries": 2}, 8),
        ({"controller": "pod", "retries": 2}, 1),
    ],
)
def test_the_logs_include_those_of_failed_and_evicted_pods(given: dict[str, Any], pods: int) -> None:
    outputs = deploy(lambda: TrainingJob("bert", arguments(**given))).outputs["bert"]
    assert f"--max-log-requests {pods} --selector" in outputs["logs"]


def test_two_thousand_training_jobs_in_one_program() -> None:
    def program() -> None:
        team = TeamNamespace("nlp", {"quota": {"pods": 5000}})
        for number in range(2000):
            TrainingJob(f"job-{number}", {"team": team, "image": "trainer:v1"})

    names = deploy(program).names()
    assert sum(name.endswith("-job") for name in names) == 2000
