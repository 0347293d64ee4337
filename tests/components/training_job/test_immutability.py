"""The immutability of a run."""

from typing import Any

import pulumi
import pytest

from components import TrainingJob
from components.training_job.immutability import changed_fields, check_immutable, immutable_part
from tests.mocks import deploy
from tests.problems import errors, problems
from tests.trainings import arguments, job

GROUP = {"workers": 2, "restart": "group"}
IMMUTABLE = [("run-immutable", "")]


def inputs(**given: Any) -> dict[str, Any]:
    """The inputs of the component, which the engine compares with those of the last deployment."""
    args = arguments(**given)
    deployment = deploy(lambda: TrainingJob("bert", args))
    (component,) = [resource for resource in deployment.resources if resource.type.endswith(":TrainingJob")]
    return component.inputs


def update(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str]]:
    """The errors of an update from some arguments to others."""
    return errors(lambda: check_immutable("bert", inputs(**before), inputs(**after)))


def fields(before: dict[str, Any], after: dict[str, Any]) -> str:
    """The message of an update that is rejected, which names the fields that would change."""
    (problem,) = problems(lambda: check_immutable("bert", inputs(**before), inputs(**after)))
    assert problem.code == "run-immutable"
    assert problem.fix
    return problem.message


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"image": "trainer:v2"}, "spec.template.spec.containers[trainer].image"),
        ({"command": ["python"]}, "spec.template.spec.containers[trainer].command"),
        ({"env": {"LR": "1"}}, "spec.template.spec.containers[trainer].env"),
        ({"annotations": {"a": "b"}}, "spec.template.metadata.annotations.a"),
        ({"experiment": "lr"}, "spec.template.metadata.labels.experiment"),
        ({"labels": {"app": "other"}}, "spec.template.metadata.labels.app"),
        ({"namespace": "lab-2"}, "metadata.namespace"),
        ({"workers": 4}, "spec.completions"),
        ({"fatal_exit_codes": [3]}, "spec.podFailurePolicy.rules[0].action"),
        ({"controller": "pod"}, "kind"),
        ({"volumes": {"data": {"path": "/data", "claim": "c"}}}, "spec.template.spec.volumes[data]"),
    ],
)
def test_a_change_of_an_existing_run_is_rejected_with_the_fields_that_would_change(
    change: dict[str, Any], field: str
) -> None:
    assert field in fields({}, change)


def test_an_error_names_the_component_and_the_run_and_is_printed_without_a_traceback() -> None:
    with pytest.raises(pulumi.RunError) as error:
        check_immutable("bert", inputs(run_id="2"), inputs(run_id="2", image="trainer:v2"))
    message, fix = str(error.value).splitlines()
    assert message.startswith("TrainingJob bert: ")
    assert message.endswith("[run-immutable]")
    assert "bert-2" in message
    assert "runId" in fix


@pytest.mark.parametrize(
    "change",
    [
        {"labels": {"tier": "gold"}},
        {"queue": "gpus"},
        {"retries": 1},
        {"deadline_seconds": 60},
        {"wait_for": "completion"},
        {"timeout_seconds": 5},
        {"previous_runs": "keep"},
        {"image": "trainer:v2", "run_id": "2"},
        {"image": "trainer:v2", "workers": 2, "run_id": "2"},
    ],
)
def test_changes_in_place_and_new_runs_are_accepted(change: dict[str, Any]) -> None:
    assert update({}, change) == []


@pytest.mark.parametrize(
    ("before", "after", "rejected"),
    [(None, 60, False), (60, 30, False), (30, 60, True), (60, None, True)],
)
def test_the_deadline_of_a_pod_can_be_set_and_lowered_but_not_raised_or_removed(
    before: int | None, after: int | None, *, rejected: bool
) -> None:
    deadlines = [{"controller": "pod", "deadline_seconds": deadline} for deadline in (before, after)]
    assert update(*deadlines) == (IMMUTABLE if rejected else [])
    if rejected:
        assert "spec.activeDeadlineSeconds" in fields(*deadlines)


def test_the_annotations_of_a_pod_are_updatable_in_place() -> None:
    assert update({"controller": "pod"}, {"controller": "pod", "annotations": {"note": "x"}}) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"deadline_seconds": 60}, "activeDeadlineSeconds"),
        ({"retries": 1}, "spec.failurePolicy.maxRestarts"),
        (
            {"image": "trainer:v2"},
            "spec.replicatedJobs[workers].template.spec.template.spec.containers[trainer].image",
        ),
    ],
)
def test_the_spec_of_a_jobset_is_immutable_as_a_whole(change: dict[str, Any], field: str) -> None:
    assert field in fields(GROUP, {**GROUP, **change})


def test_a_run_that_is_to_be_kept_is_not_deleted() -> None:
    keep = {"previous_runs": "keep"}
    assert update({}, {**keep, "run_id": "2"}) == [("run-not-kept", "")]
    assert update(keep, {**keep, "run_id": "2"}) == []


def test_a_component_that_was_deployed_without_a_run_is_accepted() -> None:
    check_immutable("bert", {}, inputs())


def test_a_changed_order_is_a_change() -> None:
    containers = [{"name": "fetch", "image": "a"}, {"name": "unpack", "image": "b"}]
    assert list(changed_fields({"init": containers}, {"init": containers[::-1]})) == ["init"]
    assert list(changed_fields({"command": ["a", "b"]}, {"command": ["a", "c"]})) == ["command[1]"]


def test_a_value_that_is_unknown_before_the_deployment_is_no_change() -> None:
    assert list(changed_fields({"image": "a"}, {"image": pulumi.UNKNOWN})) == []


def test_the_retries_and_the_deadline_of_a_job_are_not_immutable() -> None:
    assert immutable_part(job(retries=1, deadline_seconds=5))["spec"].keys() == {"template", "podFailurePolicy"}


def test_the_name_of_a_run_ends_with_its_run_id() -> None:
    assert job(run_id="2")["metadata"]["name"] == "bert-2"


def test_a_kept_run_is_owned_by_a_configmap_that_is_deleted_with_the_component() -> None:
    deployment = deploy(lambda: TrainingJob("bert", arguments(previous_runs="keep")))
    assert deployment["bert-job"].request.retainOnDelete
    (owner,) = deployment["bert-job"].inputs["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["blockOwnerDeletion"]) == ("ConfigMap", "bert-runs", True)
    assert owner["uid"] == "bert-runs-uid"
    assert "bert-runs" in deployment.children("bert")
