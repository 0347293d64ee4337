"""A run: its name, what of it may change, what up waits for, and how its end is told."""

from typing import Any

import pulumi
import pytest

from components import ArgumentError, TrainingJob
from components.training_job.await_annotations import RunFailed, ended_well
from components.training_job.immutability import changed_fields, refuse_change, run_of
from tests.mocks import deploy
from tests.trainings import arguments, job, objects

GROUP = {"workers": 2, "restart": "group"}


def inputs(**given: Any) -> dict[str, Any]:
    """The inputs of the component, of which the engine keeps those of the last deployment."""
    args = arguments(**given)
    deployment = deploy(lambda: TrainingJob("bert", args))
    (component,) = [resource for resource in deployment.resources if resource.type.endswith(":TrainingJob")]
    return component.inputs


def refusal(before: dict[str, Any], after: dict[str, Any]) -> str | None:
    try:
        refuse_change("bert", inputs(**before), inputs(**after))
    except ValueError as error:
        return str(error)
    return None


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
def test_a_change_of_the_run_is_refused_and_says_which_field(change: dict[str, Any], field: str) -> None:
    sentence = refusal({}, change)
    assert sentence is not None
    assert sentence.startswith("TrainingJob bert: run bert exists, and a run is not changed under its feet: ")
    assert field in sentence
    assert "A new runId (run_id in Python) starts a new run after this one, or beside it" in sentence


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
def test_what_changes_in_place_and_what_is_a_new_run_is_not_refused(change: dict[str, Any]) -> None:
    assert refusal({}, change) is None


@pytest.mark.parametrize(
    ("before", "after", "refused"),
    [(None, 60, False), (60, 30, False), (30, 60, True), (60, None, True)],
)
def test_the_deadline_of_a_pod_is_set_and_lowered_and_never_put_off(
    before: int | None, after: int | None, *, refused: bool
) -> None:
    pod = {"controller": "pod"}
    sentence = refusal({**pod, "deadline_seconds": before}, {**pod, "deadline_seconds": after})
    assert (sentence is not None and "spec.activeDeadlineSeconds would change" in sentence) is refused


def test_what_is_in_place_of_a_pod_and_of_a_job_is_not_of_a_group() -> None:
    assert refusal({"controller": "pod"}, {"controller": "pod", "annotations": {"note": "x"}}) is None
    assert "activeDeadlineSeconds" in str(refusal(GROUP, {**GROUP, "deadline_seconds": 60}))
    assert "spec.failurePolicy.maxRestarts" in str(refusal(GROUP, {**GROUP, "retries": 1}))


def test_a_group_is_guarded_as_a_job_is() -> None:
    sentence = refusal(GROUP, {**GROUP, "image": "trainer:v2"})
    assert "spec.replicatedJobs[workers].template.spec.template.spec.containers[trainer].image" in str(sentence)


def test_a_run_is_not_deleted_that_was_to_be_kept() -> None:
    sentence = refusal({}, {"run_id": "2", "previous_runs": "keep"})
    assert "run bert would be deleted, since it was deployed without previousRuns: keep" in str(sentence)
    keep = {"previous_runs": "keep"}
    assert refusal(keep, {**keep, "run_id": "2"}) is None


def test_a_component_of_a_version_without_runs_is_not_refused() -> None:
    refuse_change("bert", {}, inputs())


def test_an_order_that_changes_is_a_change() -> None:
    containers = [{"name": "fetch", "image": "a"}, {"name": "unpack", "image": "b"}]
    assert list(changed_fields({"init": containers}, {"init": containers[::-1]})) == ["init"]
    assert list(changed_fields({"command": ["a", "b"]}, {"command": ["a", "c"]})) == ["command[1]"]


def test_what_is_not_known_yet_is_no_change() -> None:
    assert list(changed_fields({"image": "a"}, {"image": pulumi.UNKNOWN})) == []


def test_the_name_of_a_run() -> None:
    assert job(run_id="2")["metadata"]["name"] == "bert-2"
    deployment = deploy(lambda: TrainingJob("bert", arguments(run_id="2")))
    assert deployment["bert-job"].inputs["metadata"]["name"] == "bert-2"
    assert deployment["bert-service-account"].inputs["metadata"]["name"] == "bert"
    assert deployment.outputs["bert"]["jobName"] == "bert-2"


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("b" * 60, {"run_id": "2024"}),
        ("b" * 62, {"workers": 8}),
        ("b" * 56, {"workers": 2}),  # the Service: <name>-workers and more
        ("b" * 46, {"workers": 2, "restart": "group"}),  # the operator's own names are longer
        ("3d-unet", {"workers": 2}),  # a Service begins with a letter
    ],
)
def test_names_from_which_kubernetes_could_not_make_those_of_the_pods(name: str, given: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError, match="name: "):
        deploy(lambda: TrainingJob(name, arguments(**given)))


def test_the_run_before_is_deleted_first_by_default() -> None:
    request = deploy(lambda: TrainingJob("bert", arguments()))["bert-job"].request
    assert (request.deleteBeforeReplace, request.retainOnDelete) == (True, False)


def test_runs_that_are_kept_are_owned_by_what_the_component_deletes() -> None:
    deployment = deploy(lambda: TrainingJob("bert", arguments(previous_runs="keep")))
    assert deployment["bert-job"].request.retainOnDelete
    (owner,) = deployment["bert-job"].inputs["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["blockOwnerDeletion"]) == ("ConfigMap", "bert-runs", True)
    assert "bert-runs" in deployment.children("bert")


def annotations(**given: Any) -> dict[str, str]:
    objects_ = objects(**given)
    found: dict[str, str] = objects_[list(objects_)[-1]]["metadata"].get("annotations", {})
    return found


ENDED = "jsonpath={.status.conditions[?@.status=='True' && (@.type=='Complete' || @.type=='Failed')]}"
JOB_HAS_PODS = "jsonpath={[?@.active || @.succeeded || @.failed || @.conditions[?@.type=='Failed']]}"
JOBSET_HAS_PODS = (
    "jsonpath={[?@.terminalState || @.replicatedJobsStatus[?@.active > 0 || @.succeeded > 0 || @.failed > 0]]}"
)
AGAIN = {"pulumi.com/replaceUnready": "true"}
ACCEPTED = {"pulumi.com/waitFor": "jsonpath={.metadata.uid}"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"pulumi.com/waitFor": JOB_HAS_PODS}),
        ({"wait_for": "none"}, ACCEPTED),
        ({"queue": "gpus"}, ACCEPTED),
        ({"wait_for": "completion"}, AGAIN),
        ({"wait_for": "completion", "previous_runs": "keep"}, {}),
        ({"wait_for": "completion", "fatal_exit_codes": [3]}, {"pulumi.com/waitFor": ENDED, **AGAIN}),
        ({"wait_for": "completion", "workers": 2}, {"pulumi.com/waitFor": ENDED, **AGAIN}),
        (GROUP, {"pulumi.com/waitFor": JOBSET_HAS_PODS}),
        ({**GROUP, "wait_for": "none"}, {}),
        ({**GROUP, "queue": "gpus"}, {}),
        ({**GROUP, "wait_for": "completion"}, {"pulumi.com/waitFor": "jsonpath={.status.terminalState}"}),
    ],
)
def test_what_up_waits_for(given: dict[str, Any], expected: dict[str, str]) -> None:
    assert annotations(**given) == expected


@pytest.mark.parametrize(
    ("wait_for", "expected"),
    [("start", None), ("none", "jsonpath={.metadata.uid}"), ("completion", "jsonpath={.status.phase}=Succeeded")],
)
def test_what_up_waits_for_of_a_pod(wait_for: str, expected: str | None) -> None:
    assert annotations(controller="pod", wait_for=wait_for).get("pulumi.com/waitFor") == expected


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
def test_the_timeout_reaches_the_children(given: dict[str, Any], seconds: str) -> None:
    timeouts = deploy(lambda: TrainingJob("bert", arguments(**given)))["bert-job"].request.customTimeouts
    assert (timeouts.create, timeouts.update) == (seconds, seconds)


@pytest.mark.parametrize(("retries", "seconds"), [(0, "3900s"), (2, "11100s")])
def test_each_start_of_a_group_has_its_deadline_and_up_waits_for_all_of_them(retries: int, seconds: str) -> None:
    args = arguments(**GROUP, retries=retries, deadline_seconds=3600, wait_for="completion")
    deployment = deploy(lambda: TrainingJob("bert", args))
    assert deployment["bert-jobset"].request.customTimeouts.create == seconds


def test_how_a_run_ended() -> None:
    failed = {"type": "Failed", "status": "True", "reason": "PodFailurePolicy", "message": "exit code 3"}
    with pytest.raises(RunFailed, match="TrainingJob bert: the run failed: PodFailurePolicy: exit code 3"):
        ended_well("bert", {"conditions": [failed]})
    ended_well("bert", {"conditions": [{"type": "Complete", "status": "True"}]})
    ended_well("bert", {"conditions": [{**failed, "status": "False"}]})
    ended_well("bert", None)


def test_only_what_cannot_change_is_guarded() -> None:
    assert run_of(job(retries=1, deadline_seconds=5))["spec"].keys() == {"template", "podFailurePolicy"}
