"""The life cycle of training runs on the real engine, provider and API server."""

import json
import re
import time
from typing import Any

import pytest

from tests.e2e.lab import EXIT_CODE, LONG, RUN_FOR, SHORT, TEAM, TORCHRUN, Lab, wait_until
from tests.e2e.project import changes


def test_up_returns_during_the_run_and_a_second_up_changes_nothing(lab: Lab) -> None:
    lab.up()  # the team, which is not part of the measured time
    started = time.monotonic()
    lab.up(bert=LONG)
    assert time.monotonic() - started < 30
    status = lab.project.get("job", "bert", TEAM)["status"]
    assert (status["active"], status.get("succeeded"), status.get("conditions")) == (1, None, None)
    before = lab.pod_uids("bert")
    lab.unchanged()
    for command in ("up", "refresh"):
        again = lab.pulumi(command, "--yes", "--skip-preview", "--expect-no-changes")
        assert again.returncode == 0, again.stdout + again.stderr
    assert lab.pod_uids("bert") == before


_GOLD = {**LONG, "labels": {"tier": "gold"}, "retries": 2, "deadlineSeconds": 3600}


def test_labels_retries_and_deadline_are_updatable_in_place(lab: Lab) -> None:
    before = lab.uid("job", "bert"), lab.pod_uids("bert")
    lab.up(bert=_GOLD)
    job = lab.project.get("job", "bert", TEAM)
    assert job["metadata"]["labels"]["tier"] == "gold"
    assert (job["spec"]["backoffLimit"], job["spec"]["activeDeadlineSeconds"]) == (2, 3600)
    assert (lab.uid("job", "bert"), lab.pod_uids("bert")) == before


def test_a_change_of_an_existing_run_is_rejected(lab: Lab) -> None:
    before = lab.uid("job", "bert"), lab.pod_uids("bert")
    lab.declare(bert={**_GOLD, "image": "trainer:v2"})
    for command in (("preview",), ("up", "--yes", "--skip-preview")):
        output = lab.rejected(*command)
        assert "TrainingJob bert: " in output
        assert "spec.template.spec.containers[trainer].image" in output
        assert "[run-immutable]" in output
    reverted = lab.up(bert=_GOLD)
    assert changes(reverted) == {"updated": 1}  # the inventory, which the failed update has written
    assert (lab.uid("job", "bert"), lab.pod_uids("bert")) == before
    lab.unchanged()


def test_a_new_run_id_starts_a_new_run_after_the_old_one(lab: Lab) -> None:
    output = lab.up(bert={**_GOLD, "image": "trainer:v2", "runId": "2"})
    assert output.index("deleted original") < output.index("created replacement")
    assert lab.project.names("jobs", TEAM) == ["bert-2"]
    (pod,) = lab.pods("bert-2")
    assert pod["spec"]["containers"][0]["image"] == "trainer:v2"
    lab.unchanged()


def test_previous_runs_are_kept_until_the_training_job_is_removed(lab: Lab) -> None:
    run = {**_GOLD, "image": "trainer:v2", "runId": "2"}
    keep = {**run, "previousRuns": "keep"}
    lab.declare(bert={**keep, "runId": "3"})
    output = lab.rejected("preview")
    assert "TrainingJob bert: run bert-2 " in output
    assert "[run-not-kept]" in output
    lab.up(bert=keep)
    before = lab.pod_uids("bert-2")
    lab.up(bert={**keep, "runId": "3", "image": "trainer:v3"})
    assert lab.project.names("jobs", TEAM) == ["bert-2", "bert-3"]
    assert lab.pod_uids("bert-2") == before
    lab.unchanged()
    lab.clear()
    assert lab.project.names("jobs", TEAM) == []


def test_up_waits_for_completion(lab: Lab) -> None:
    lab.up(one=SHORT, eight={**SHORT, "workers": 8}, strict={**SHORT, "fatalExitCodes": [3]})
    assert lab.project.get("job", "one", TEAM)["status"]["succeeded"] == 1
    assert lab.project.get("job", "eight", TEAM)["status"]["completedIndexes"] == "0-7"
    assert lab.project.get("job", "strict", TEAM)["status"]["succeeded"] == 1
    lab.unchanged()


_FAILING: dict[str, Any] = {**SHORT, "retries": 0, "annotations": {EXIT_CODE: "3"}}
_FAILURES = {
    "tired": (_FAILING, "[BackoffLimitExceeded] Job has reached the specified backoff limit"),
    "fatal": (
        {**_FAILING, "retries": 9, "fatalExitCodes": [3]},
        "PodFailurePolicy: Container trainer for pod lab/fatal-",
    ),
    "torn": ({**_FAILING, "workers": 2, "distributed": "torchrun"}, "MaxFailedIndexesExceeded: Job has exceeded"),
}


@pytest.mark.parametrize("name", _FAILURES)
def test_a_failed_run_is_reported_with_its_reason_and_replaced(lab: Lab, name: str) -> None:
    job, reason = _FAILURES[name]
    lab.clear()
    lab.declare(**{name: job})
    started = time.monotonic()
    assert reason in lab.rejected("up", "--yes", "--skip-preview")
    assert time.monotonic() - started < 60
    assert f"{name}-job create replacement" in lab.pulumi("preview").stdout


def test_the_next_up_restarts_a_failed_run(lab: Lab) -> None:
    failed = lab.uid("job", "torn")
    lab.rejected("up", "--yes", "--skip-preview")
    assert lab.uid("job", "torn") != failed


def test_the_timeout_ends_the_wait_but_not_the_run(lab: Lab) -> None:
    lab.clear()
    lab.declare(slow={**LONG, "waitFor": "completion", "timeoutSeconds": 3})
    started = time.monotonic()
    lab.rejected("up", "--yes", "--skip-preview")
    assert time.monotonic() - started < 30
    assert lab.project.get("job", "slow", TEAM)["status"]["active"] == 1


def test_a_failed_pod_is_retried_and_a_disrupted_one_is_not_counted(lab: Lab) -> None:
    lab.clear()
    lab.up(retried={**LONG, "retries": 1, "annotations": {RUN_FOR: "1s", EXIT_CODE: "3"}}, moved={**LONG, "retries": 0})
    wait_until(lambda: lab.project.get("job", "retried", TEAM)["status"].get("failed") == 2, 60)
    assert len(lab.pods("retried")) == 2
    (requests,) = re.findall(r"--max-log-requests (\d+)", lab.logs("retried"))
    assert int(requests) >= 2
    (pod,) = lab.pods("moved")
    # The status of a pod that is evicted from a drained node. The simulated nodes delete the pod without setting it.
    drained = {"phase": "Failed", "conditions": [{"type": "DisruptionTarget", "status": "True"}]}
    patch = ("patch", "pod", pod["metadata"]["name"], "-n", TEAM, "--subresource=status", "-p")
    patched = lab.project.run("kubectl", *patch, json.dumps({"status": drained}))
    assert patched.returncode == 0, patched.stderr

    def replaced() -> bool:
        running = [pod for pod in lab.pods("moved") if pod["status"]["phase"] == "Running"]
        return len(running) == 1 and running[0]["metadata"]["uid"] != pod["metadata"]["uid"]

    wait_until(replaced)
    job = lab.project.get("job", "moved", TEAM)
    assert (job["status"]["active"], job["status"].get("conditions")) == (1, None)


def test_a_run_whose_pods_are_rejected_has_not_started(lab: Lab) -> None:
    lab.clear()
    # The team may use the PriorityClass, but it does not exist in the cluster.
    lab.declare(rejected={**LONG, "priorityClass": "high", "timeoutSeconds": 5})
    lab.rejected("up", "--yes", "--skip-preview")
    job = lab.project.get("job", "rejected", TEAM)
    assert job["status"]["startTime"]
    assert lab.pods("rejected") == []


def test_a_run_that_has_ended_has_started(lab: Lab) -> None:
    quick = {**SHORT, "waitFor": "start"}
    lab.clear()
    lab.up(quick=quick, failing={**_FAILING, "waitFor": "start"})
    for name in ("quick", "failing"):
        wait_until(lambda name=name: lab.project.get("job", name, TEAM)["status"].get("active") is None)
    started = time.monotonic()
    lab.up(
        quick={**quick, "labels": {"tier": "gold"}},
        failing={**_FAILING, "waitFor": "start", "labels": {"tier": "gold"}},
    )
    assert time.monotonic() - started < 30


def test_destroy_needs_no_program_and_leaves_nothing(lab: Lab) -> None:
    lab.clear()
    lab.up(bert={**LONG, "previousRuns": "keep"}, eight=TORCHRUN)
    lab.up(bert={**LONG, "previousRuns": "keep", "runId": "2"}, eight=TORCHRUN)
    destroyed = lab.pulumi("destroy", "--yes", "--skip-preview")
    assert destroyed.returncode == 0, destroyed.stdout + destroyed.stderr
    assert lab.project.get("jobs")["items"] == []
    assert lab.project.get("pods")["items"] == []
