"""The JobSet of a TrainingJob whose workers are restarted together."""

from typing import Any

from components import TrainingJob
from tests.mocks import deploy
from tests.schemas import assert_valid
from tests.trainings import arguments, objects

GROUP: dict[str, Any] = {"workers": 8, "distributed": "torchrun", "restart": "group"}


def test_a_group_is_a_jobset_around_the_job() -> None:
    made = objects(**GROUP, retries=3, fatal_exit_codes=[3], deadline_seconds=60)
    assert "job" not in made
    jobset = made["jobset"]
    assert (jobset["apiVersion"], jobset["kind"]) == ("jobset.x-k8s.io/v1alpha2", "JobSet")
    spec = jobset["spec"]
    assert spec["failurePolicy"]["maxRestarts"] == 3
    (rule,) = spec["failurePolicy"]["rules"]
    assert (rule["action"], rule["onJobFailureReasons"]) == ("FailJobSet", ["PodFailurePolicy", "DeadlineExceeded"])
    (workers,) = spec["replicatedJobs"]
    inner = workers["template"]["spec"]
    assert (inner["backoffLimit"], inner["completions"], inner["activeDeadlineSeconds"]) == (0, 8, 60)
    assert [rule["action"] for rule in inner["podFailurePolicy"]["rules"]] == ["FailJob"]


def test_the_workers_of_a_group_meet_at_the_host_name_that_the_operator_gives() -> None:
    inner = objects(**GROUP)["jobset"]["spec"]["replicatedJobs"][0]["template"]["spec"]["template"]["spec"]
    variables = {variable["name"]: variable.get("value") for variable in inner["containers"][0]["env"]}
    assert variables["PET_RDZV_ENDPOINT"] == "bert-workers-0-0.bert-workers:29500"
    assert inner["subdomain"] == "bert-workers"


def test_a_preview_reads_the_operators_crd_before_the_jobset() -> None:
    deployment = deploy(lambda: TrainingJob("bert", arguments(**GROUP)))
    child = deployment["bert-jobset"]
    assert child.type == "kubernetes:jobset.x-k8s.io/v1alpha2:JobSet"
    assert "bert-needs-jobset-operator" in {urn.split("::")[-1] for urn in child.request.dependencies}


def test_the_job_in_a_group_is_valid_to_kubernetes() -> None:
    made = objects(**GROUP, fatal_exit_codes=[3])
    inner = made.pop("jobset")["spec"]["replicatedJobs"][0]["template"]["spec"]
    assert_valid({**made, "job": {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"}, "spec": inner}})
