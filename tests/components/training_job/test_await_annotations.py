"""What ``pulumi up`` waits for, for how long, and the outcome of a run."""

from typing import Any

import pulumi
import pytest

from components.training_job.await_annotations import check_succeeded, wait_seconds
from tests.trainings import objects

GROUP = {"workers": 2, "restart": "group"}

FINISHED = "jsonpath={.status.conditions[?@.status=='True' && (@.type=='Complete' || @.type=='Failed')]}"
JOB_HAS_PODS = "jsonpath={[?@.active || @.succeeded || @.failed || @.conditions[?@.type=='Failed']]}"
JOBSET_HAS_PODS = (
    "jsonpath={[?@.terminalState || @.replicatedJobsStatus[?@.active > 0 || @.succeeded > 0 || @.failed > 0]]}"
)
RESTART = {"pulumi.com/replaceUnready": "true"}
ACCEPTED = {"pulumi.com/waitFor": "jsonpath={.metadata.uid}"}


def annotations(**given: Any) -> dict[str, str]:
    """The annotations of the run, which is the last of the objects."""
    made = objects(**given)
    found: dict[str, str] = made[list(made)[-1]]["metadata"].get("annotations", {})
    return found


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"pulumi.com/waitFor": JOB_HAS_PODS}),
        ({"wait_for": "none"}, ACCEPTED),
        ({"queue": "gpus"}, ACCEPTED),
        ({"wait_for": "completion"}, RESTART),
        ({"wait_for": "completion", "previous_runs": "keep"}, {}),
        ({"wait_for": "completion", "fatal_exit_codes": [3]}, {"pulumi.com/waitFor": FINISHED, **RESTART}),
        ({"wait_for": "completion", "workers": 2}, {"pulumi.com/waitFor": FINISHED, **RESTART}),
        (GROUP, {"pulumi.com/waitFor": JOBSET_HAS_PODS}),
        ({**GROUP, "wait_for": "none"}, {}),
        ({**GROUP, "queue": "gpus"}, {}),
        ({**GROUP, "wait_for": "completion"}, {"pulumi.com/waitFor": "jsonpath={.status.terminalState}"}),
    ],
)
def test_annotations_of_a_job_and_of_a_jobset(given: dict[str, Any], expected: dict[str, str]) -> None:
    assert annotations(**given) == expected


@pytest.mark.parametrize(
    ("wait_for", "expected"),
    [("start", None), ("none", "jsonpath={.metadata.uid}"), ("completion", "jsonpath={.status.phase}=Succeeded")],
)
def test_annotations_of_a_pod(wait_for: str, expected: str | None) -> None:
    assert annotations(controller="pod", wait_for=wait_for).get("pulumi.com/waitFor") == expected


@pytest.mark.parametrize(
    ("wait_for", "timeout", "deadline", "starts", "seconds"),
    [
        ("start", None, 3600, 1, None),
        ("none", 20, None, 1, 20),
        ("completion", 20, 3600, 1, 20),
        ("completion", None, None, 1, 7 * 24 * 3600),
        ("completion", None, 3600, 1, 3600 + 300),
        ("completion", None, 3600, 3, 3 * 3600 + 300),
    ],
)
def test_the_wait_for_completion_outlasts_the_deadline_of_every_start(
    wait_for: Any, timeout: int | None, deadline: int | None, starts: int, seconds: int | None
) -> None:
    assert wait_seconds(wait_for, timeout, deadline, starts) == seconds


def test_a_failed_run_raises_an_error_with_the_reason() -> None:
    failed = {"type": "Failed", "status": "True", "reason": "PodFailurePolicy", "message": "exit code 3"}
    with pytest.raises(pulumi.RunError) as error:
        check_succeeded("bert", {"conditions": [failed]})
    assert str(error.value).startswith("TrainingJob bert: ")
    assert str(error.value).endswith("PodFailurePolicy: exit code 3 [run-failed]")


@pytest.mark.parametrize(
    "status",
    [
        None,
        {},
        {"conditions": [{"type": "Complete", "status": "True"}]},
        {"conditions": [{"type": "Failed", "status": "False", "reason": "PodFailurePolicy"}]},
    ],
)
def test_a_run_that_has_not_failed_raises_none(status: Any) -> None:
    check_succeeded("bert", status)
