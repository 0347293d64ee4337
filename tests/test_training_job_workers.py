"""TrainingJobs of several workers: how they find each other, what a failed one means, groups."""

from typing import Any

import pytest

from components import ArgumentError, NodePool, TrainingJob
from components.team_namespace.network_policies import Network, dns
from components.team_namespace.network_policies import policies as team_policies
from tests.mocks import deploy
from tests.schemas import assert_valid
from tests.trainings import arguments, container, env, job, objects

TORCHRUN: dict[str, Any] = {"workers": 8, "distributed": "torchrun"}
GROUP: dict[str, Any] = {**TORCHRUN, "restart": "group"}
POOL = NodePool(gpu_resource="nvidia.com/gpu")


def test_workers_are_the_pods_of_an_indexed_job_with_stable_names() -> None:
    made = objects(**TORCHRUN)
    spec = made["job"]["spec"]
    assert (spec["completionMode"], spec["completions"], spec["parallelism"]) == ("Indexed", 8, 8)
    assert spec["template"]["spec"]["subdomain"] == made["service"]["metadata"]["name"] == "bert-workers"
    service = made["service"]["spec"]
    assert (service["clusterIP"], service["publishNotReadyAddresses"]) == ("None", True)
    assert service["selector"].items() <= spec["template"]["metadata"]["labels"].items()


def test_a_single_worker_needs_no_service_and_no_network_policy() -> None:
    assert list(objects()) == ["service-account", "job"]
    assert "subdomain" not in job()["spec"]["template"]["spec"]


def test_torchrun_finds_its_options_in_the_environment() -> None:
    variables = env(**TORCHRUN, node_pool=POOL, gpus=4, retries=3, run_id="2")
    assert variables == {
        "PET_NNODES": "8",
        "PET_NPROC_PER_NODE": "4",
        "PET_MAX_RESTARTS": "3",
        "PET_RDZV_BACKEND": "c10d",
        "PET_RDZV_ENDPOINT": "bert-2-0.bert-workers:29500",
        "PET_RDZV_ID": "bert-2",
        "PET_MASTER_ADDR": "bert-2-0.bert-workers",
        "PET_MASTER_PORT": "29500",
        "PET_NODE_RANK": None,
    }
    (rank,) = [variable for variable in container(**TORCHRUN)["env"] if variable["name"] == "PET_NODE_RANK"]
    path = "metadata.annotations['batch.kubernetes.io/job-completion-index']"
    assert rank["valueFrom"] == {"fieldRef": {"fieldPath": path}}


def test_torchrun_on_cpus_starts_one_process_in_a_worker() -> None:
    assert env(**TORCHRUN)["PET_NPROC_PER_NODE"] == "1"


def test_workers_without_torchrun_get_none_of_its_options() -> None:
    assert env(workers=8) == {}


def test_an_elastic_training_goes_on_with_fewer_workers() -> None:
    assert env(**TORCHRUN, min_workers=6)["PET_NNODES"] == "6:8"
    assert job(**TORCHRUN, min_workers=6)["spec"]["maxFailedIndexes"] == 2
    assert job(**TORCHRUN)["spec"]["maxFailedIndexes"] == 0
    assert "maxFailedIndexes" not in job(workers=8)["spec"]


DISRUPTED = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}


def test_a_disruption_is_no_failure_and_a_fatal_exit_code_is_the_last() -> None:
    assert job()["spec"]["podFailurePolicy"] == {"rules": [DISRUPTED]}
    fatal = {"containerName": "trainer", "operator": "In", "values": [3, 42]}
    rules = job(fatal_exit_codes=[42, 3, 42])["spec"]["podFailurePolicy"]["rules"]
    assert rules == [{"action": "FailJob", "onExitCodes": fatal}, DISRUPTED]


def test_each_of_several_workers_has_its_own_retries() -> None:
    spec = job(**TORCHRUN, retries=2)["spec"]
    assert spec["backoffLimitPerIndex"] == 2
    assert "backoffLimit" not in spec
    assert job(retries=2)["spec"]["backoffLimit"] == 2


def test_workers_talk_to_each_other_and_to_dns_only() -> None:
    spec = objects(**TORCHRUN, labels={"app": "ml"})["network-policy"]["spec"]
    each_other = [{"podSelector": {"matchLabels": {"app": "ml"}}}]
    assert spec == {
        "podSelector": {"matchLabels": {"app": "ml"}},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": each_other}],
        "egress": [{"to": each_other}, dns("kube-system")],
    }


def test_the_teams_other_pods_and_workers_leave_each_other_alone() -> None:
    """Policies add up: what counts is what the team's and the run's let through together."""
    run = objects(**TORCHRUN)
    policies = [*team_policies({"namespace": "lab"}, Network(), serves=False).values(), run["network-policy"]]
    worker = run["job"]["spec"]["template"]["metadata"]["labels"]
    notebook = {"app": "notebook"}
    assert connected(policies, worker, worker)
    assert connected(policies, notebook, notebook)
    assert not connected(policies, notebook, worker)
    assert not connected(policies, worker, notebook)


def connected(policies: list[dict[str, Any]], source: dict[str, str], target: dict[str, str]) -> bool:
    """Whether a pod of a namespace with these policies may open a connection to another one."""

    def selected(labels: dict[str, str], selector: dict[str, Any]) -> bool:
        excluded = selector.get("matchExpressions", [])
        assert all(expression["operator"] == "NotIn" for expression in excluded)
        return selector.get("matchLabels", {}).items() <= labels.items() and not any(
            labels.get(expression["key"]) in expression["values"] for expression in excluded
        )

    def lets(direction: str, peers: str, pod: dict[str, str], other: dict[str, str]) -> bool:
        return any(
            "podSelector" in peer and selected(other, peer["podSelector"])
            for policy in policies
            if selected(pod, policy["spec"]["podSelector"])
            for rule in policy["spec"].get(direction, [])
            for peer in rule.get(peers, [])
        )

    return lets("egress", "to", source, target) and lets("ingress", "from", target, source)


def test_a_named_opt_out_lets_workers_call_any_address_but_that_of_the_clouds_credentials() -> None:
    spec = objects(**TORCHRUN, security={"open_egress": True})["network-policy"]["spec"]
    each_other = {"podSelector": {"matchLabels": {"app": "bert"}}}
    blocks = [
        {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.169.254/32"]}},
        {"ipBlock": {"cidr": "::/0", "except": ["fd00:ec2::254/128"]}},
    ]
    assert spec["egress"] == [{"to": [each_other]}, {"to": [{"namespaceSelector": {}}, *blocks]}]
    assert spec["ingress"] == [{"from": [each_other]}]


def test_a_group_is_a_jobset_around_the_same_job() -> None:
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


def test_the_workers_of_a_group_meet_at_the_name_that_the_operator_gives() -> None:
    inner = objects(**GROUP)["jobset"]["spec"]["replicatedJobs"][0]["template"]["spec"]["template"]["spec"]
    variables = {variable["name"]: variable.get("value") for variable in inner["containers"][0]["env"]}
    assert variables["PET_RDZV_ENDPOINT"] == "bert-workers-0-0.bert-workers:29500"
    assert inner["subdomain"] == "bert-workers"


def test_a_group_needs_the_operator_which_a_preview_reads() -> None:
    deployment = deploy(lambda: TrainingJob("bert", arguments(**GROUP)))
    child = deployment["bert-jobset"]
    assert child.type == "kubernetes:jobset.x-k8s.io/v1alpha2:JobSet"
    assert "bert-needs-jobset-operator" in {urn.split("::")[-1] for urn in child.request.dependencies}
    assert deployment.outputs["bert"]["selector"] == "jobset.sigs.k8s.io/jobset-name=bert"


def test_outputs_of_several_workers() -> None:
    outputs = deploy(lambda: TrainingJob("bert", arguments(**TORCHRUN))).outputs["bert"]
    assert "--selector batch.kubernetes.io/job-name=bert" in outputs["logs"]


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
def test_the_logs_are_those_of_all_pods_also_of_such_as_failed_or_were_evicted(
    given: dict[str, Any], pods: int
) -> None:
    outputs = deploy(lambda: TrainingJob("bert", arguments(**given))).outputs["bert"]
    assert f"--max-log-requests {pods} --selector" in outputs["logs"]


@pytest.mark.parametrize("given", [TORCHRUN, {"workers": 3, "fatal_exit_codes": [3]}, {**TORCHRUN, "min_workers": 2}])
def test_kubernetes_knows_every_field(given: dict[str, Any]) -> None:
    assert_valid(objects(**given))


def test_kubernetes_knows_every_field_of_the_job_in_a_group() -> None:
    made = objects(**GROUP, fatal_exit_codes=[3])
    inner = made.pop("jobset")["spec"]["replicatedJobs"][0]["template"]["spec"]
    assert_valid({**made, "job": {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"}, "spec": inner}})


CLAIM = {"path": "/data", "claim": "data"}
STAGE = {"name": "stage", "resources": {"requests": {"cpu": 1}}}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"workers": 2, "controller": "pod"}, "workers: needs the controller job"),
        ({"fatal_exit_codes": [2], "controller": "pod"}, "fatal_exit_codes: needs the controller job"),
        ({"queue": "q", "controller": "pod"}, "queue: needs the controller job"),
        ({"previous_runs": "keep", "controller": "pod"}, "previous_runs: needs the controller job"),
        ({"distributed": "torchrun"}, "distributed: is for several workers: there is 1"),
        ({"restart": "group"}, "restart: is for several workers: there is 1"),
        ({"min_workers": 2, "workers": 4}, "min_workers: only torchrun goes on with fewer workers"),
        ({**TORCHRUN, "min_workers": 9}, "min_workers: 9 is more than the 8 workers"),
        ({"workers": 0}, "workers: must be at least 1"),
        ({"workers": 2, "volumes": {"d": CLAIM}}, "volumes.d.access_mode: a claim of one node cannot serve 2 workers"),
        ({"workers": 2, "checkpoints": {"claim": "c"}}, "checkpoints.access_mode: a claim of one node cannot serve"),
        ({"fatal_exit_codes": [0]}, "fatal_exit_codes[0]: must be at least 1"),
        ({"fatal_exit_codes": [256]}, "fatal_exit_codes[0]: must be at most 255"),
        ({"queue": "q", "wait_for": "completion"}, "wait_for: a queued run starts when its turn comes"),
        ({**TORCHRUN, "env": {"PET_NNODES": "2"}}, "env.PET_NNODES: is set by the training job itself"),
        ({"checkpoints": {"claim": "c"}, "env": {"CHECKPOINT_DIR": "/"}}, "env.CHECKPOINT_DIR: is set by the"),
        (
            {**TORCHRUN, "init_containers": [{**STAGE, "env": {"PET_NNODES": "2"}}]},
            "init_containers[0].env.PET_NNODES: is set by the training job itself",
        ),
        (
            {"checkpoints": {"claim": "c"}, "init_containers": [{**STAGE, "env": {"CHECKPOINT_DIR": "/"}}]},
            "init_containers[0].env.CHECKPOINT_DIR: is set by the training job itself",
        ),
        ({"checkpoints": {"claim": "c", "path": "/tmp/"}}, "checkpoints.path: /tmp/ is taken by the writable /tmp"),
        ({"checkpoints": {"claim": "c", "path": "/tmp"}}, "checkpoints.path: /tmp is taken by the writable /tmp"),
        ({"checkpoints": {"claim": "c", "path": "/data"}, "volumes": {"d": CLAIM}}, "/data is taken by volume d"),
        ({"checkpoints": {"claim": "c"}, "volumes": {"checkpoints": CLAIM}}, "volumes.checkpoints: is the name of"),
        ({"checkpoints": {"claim": "c", "directory": "/a"}}, "checkpoints.directory: string should match"),
        ({"checkpoints": {}}, "checkpoints.claim: is required"),
        ({"run_id": "Run 2"}, "run_id: 'Run 2' is refused by Kubernetes"),
    ],
)
def test_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError) as refusal:
        arguments(**given)
    assert message in str(refusal.value)


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(ArgumentError) as refusal:
        arguments(image=None, distributed="torchrun", checkpoints={"claim": "c", "path": "/tmp"})
    assert len(refusal.value.problems) == 3
