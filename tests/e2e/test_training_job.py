"""The life of training runs on the real engine, provider and API server."""

import json
import time
from collections.abc import Iterator
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.e2e.project import Project

TEAM = "lab"
RUN_FOR = "sandbox.ml-platform/run-for"
EXIT_CODE = "sandbox.ml-platform/exit-code"

LONG: dict[str, Any] = {"team": TEAM, "nodePool": "cpu", "command": ["train"], "annotations": {RUN_FOR: "600s"}}
SHORT: dict[str, Any] = {"team": TEAM, "nodePool": "cpu", "command": ["train"], "waitFor": "completion", "timeout": 90}
TORCHRUN: dict[str, Any] = {**LONG, "workers": 8, "distributed": "torchrun"}


class Lab:
    """A stack of one team and the training jobs that a test gives it."""

    def __init__(self, project: Project) -> None:
        self.project = project

    def declare(self, **jobs: dict[str, Any]) -> None:
        # Copied: YAML would write an alias where two jobs share a value.
        plain = json.loads(json.dumps(jobs))
        teams = {TEAM: {"priorityQuotas": {"high": {"pods": "10"}}}}
        self.project.edit("prod", lambda settings: settings.update(teams=teams, modelServices={}, trainingJobs=plain))

    def pulumi(self, command: str, *flags: str) -> CompletedProcess[str]:
        return self.project.run("pulumi", command, "--stack", "prod", "--non-interactive", *flags)

    def up(self, **jobs: dict[str, Any]) -> str:
        """Bring the jobs up, which has to go well."""
        self.declare(**jobs)
        done = self.pulumi("up", "--yes", "--skip-preview")
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def refused(self, command: str, *flags: str) -> str:
        """What a command says that has to fail, on lines of any width."""
        done = self.pulumi(command, *flags)
        assert done.returncode != 0, done.stdout
        assert "Traceback" not in done.stdout + done.stderr
        return done.stdout + done.stderr

    def unchanged(self) -> None:
        preview = self.pulumi("preview", "--expect-no-changes")
        assert preview.returncode == 0, preview.stdout + preview.stderr

    def uid(self, kind: str, name: str) -> str:
        uid: str = self.project.get(kind, name, TEAM)["metadata"]["uid"]
        return uid

    def pods(self, job: str) -> list[dict[str, Any]]:
        items = self.project.get("pods", namespace=TEAM)["items"]
        return [pod for pod in items if pod["metadata"]["labels"].get("batch.kubernetes.io/job-name") == job]

    def pod_uids(self, job: str) -> list[str]:
        return sorted(pod["metadata"]["uid"] for pod in self.pods(job))


@pytest.fixture(scope="module")
def stack(project: Project) -> Lab:
    done = project.run("pulumi", "stack", "select", "--create", "--stack", "prod")
    assert done.returncode == 0, done.stderr
    return Lab(project)


@pytest.fixture
def lab(stack: Lab) -> Iterator[Lab]:
    """The lab; what a test has brought up is removed after it, with no pod left behind."""
    yield stack
    stack.up()
    wait_until(lambda: stack.project.names("pods", TEAM) == [])
    assert stack.project.names("jobs", TEAM) == []


def wait_until(condition: Any, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.2)


def test_up_returns_while_the_run_goes_on_and_a_second_one_changes_nothing(lab: Lab) -> None:
    lab.up()  # the team, whose objects are not what is timed
    started = time.monotonic()
    lab.up(bert=LONG)
    assert time.monotonic() - started < 30
    status = lab.project.get("job", "bert", TEAM)["status"]
    assert (status["active"], status.get("succeeded"), status.get("conditions")) == (1, None, None)
    before = lab.pod_uids("bert")
    lab.up(bert=LONG)
    lab.unchanged()
    assert lab.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes").returncode == 0
    assert lab.pod_uids("bert") == before


def test_labels_retries_and_deadline_change_while_the_run_goes_on(lab: Lab) -> None:
    lab.up(bert=LONG)
    before = lab.uid("job", "bert"), lab.pod_uids("bert")
    lab.up(bert={**LONG, "labels": {"tier": "gold"}, "retries": 2, "deadline": 3600})
    job = lab.project.get("job", "bert", TEAM)
    assert job["metadata"]["labels"]["tier"] == "gold"
    assert (job["spec"]["backoffLimit"], job["spec"]["activeDeadlineSeconds"]) == (2, 3600)
    assert (lab.uid("job", "bert"), lab.pod_uids("bert")) == before


def test_a_run_is_not_changed_under_its_feet(lab: Lab) -> None:
    lab.up(bert=LONG)
    before = lab.uid("job", "bert"), lab.pod_uids("bert")
    lab.declare(bert={**LONG, "image": "trainer:v2"})
    sentence = (
        "TrainingJob bert: run bert exists, and a run is not changed under its feet: "
        "spec.template.spec.containers[trainer].image would change. "
        "A new runId (run_id in Python) starts a new run after this one"
    )
    assert sentence in lab.refused("preview")
    assert sentence in lab.refused("up", "--yes", "--skip-preview")
    assert (lab.uid("job", "bert"), lab.pod_uids("bert")) == before
    lab.up(bert=LONG)
    lab.unchanged()


def test_a_new_run_id_starts_a_new_run_after_the_old_one(lab: Lab) -> None:
    lab.up(bert=LONG)
    output = lab.up(bert={**LONG, "image": "trainer:v2", "runId": "2"})
    assert output.index("deleted original") < output.index("created replacement")
    assert lab.project.names("jobs", TEAM) == ["bert-2"]
    (pod,) = lab.pods("bert-2")
    assert pod["spec"]["containers"][0]["image"] == "trainer:v2"
    lab.unchanged()


def test_a_new_run_beside_the_old_ones_which_go_with_the_training_job(lab: Lab) -> None:
    lab.up(bert=LONG)
    keep = {**LONG, "previousRuns": "keep"}
    lab.declare(bert={**keep, "runId": "2"})
    assert "run bert would be deleted, since it was deployed without previousRuns: keep" in lab.refused("preview")
    lab.up(bert=keep)
    before = lab.pod_uids("bert")
    lab.up(bert={**keep, "runId": "2", "image": "trainer:v2"})
    assert lab.project.names("jobs", TEAM) == ["bert", "bert-2"]
    assert lab.pod_uids("bert") == before
    lab.unchanged()
    lab.up()
    assert lab.project.names("jobs", TEAM) == []


def test_completion_is_waited_for(lab: Lab) -> None:
    lab.up(bert=SHORT, eight={**SHORT, "workers": 8}, strict={**SHORT, "fatalExitCodes": [3]})
    assert lab.project.get("job", "bert", TEAM)["status"]["succeeded"] == 1
    assert lab.project.get("job", "eight", TEAM)["status"]["completedIndexes"] == "0-7"
    assert lab.project.get("job", "strict", TEAM)["status"]["succeeded"] == 1
    lab.unchanged()


@pytest.mark.parametrize(
    ("failing", "reason"),
    [
        ({"retries": 0}, "[BackoffLimitExceeded] Job has reached the specified backoff limit"),
        ({"retries": 9, "fatalExitCodes": [3]}, "PodFailurePolicy: Container trainer for pod lab/bert-"),
        ({"retries": 0, "workers": 2, "distributed": "torchrun"}, "MaxFailedIndexesExceeded: Job has exceeded"),
    ],
)
def test_a_run_that_fails_is_told_with_its_reason_and_would_start_again(
    lab: Lab, failing: dict[str, Any], reason: str
) -> None:
    lab.declare(bert={**SHORT, **failing, "annotations": {EXIT_CODE: "3"}})
    started = time.monotonic()
    assert reason in lab.refused("up", "--yes", "--skip-preview")
    assert time.monotonic() - started < 60
    assert "bert-job create replacement" in lab.pulumi("preview").stdout


def test_the_next_up_starts_a_run_that_failed_again(lab: Lab) -> None:
    lab.declare(bert={**SHORT, "retries": 0, "annotations": {EXIT_CODE: "3"}})
    lab.refused("up", "--yes", "--skip-preview")
    failed = lab.uid("job", "bert")
    lab.refused("up", "--yes", "--skip-preview")
    assert lab.uid("job", "bert") != failed


def test_the_timeout_ends_the_wait_and_not_the_run(lab: Lab) -> None:
    lab.declare(bert={**LONG, "waitFor": "completion", "timeout": 3})
    started = time.monotonic()
    lab.refused("up", "--yes", "--skip-preview")
    assert time.monotonic() - started < 30
    assert lab.project.get("job", "bert", TEAM)["status"]["active"] == 1


def test_a_failed_pod_is_retried_and_a_disrupted_one_is_not_counted(lab: Lab) -> None:
    lab.up(bert={**LONG, "retries": 1, "annotations": {RUN_FOR: "1s", EXIT_CODE: "3"}}, moved={**LONG, "retries": 0})
    wait_until(lambda: lab.project.get("job", "bert", TEAM)["status"].get("failed") == 2, 60)
    (pod,) = lab.pods("moved")
    # What a node that is drained makes of a pod; kwok's nodes delete it without a word.
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


def test_eight_workers_have_eight_names_that_the_service_resolves(lab: Lab) -> None:
    lab.up(bert=TORCHRUN)
    names = {f"bert-{index}" for index in range(8)}
    wait_until(lambda: len(lab.pods("bert")) == 8)
    assert {pod["spec"]["hostname"] for pod in lab.pods("bert")} == names
    assert {pod["spec"]["subdomain"] for pod in lab.pods("bert")} == {"bert-workers"}

    def resolvable() -> set[str]:
        slices = lab.project.get("endpointslices", namespace=TEAM)["items"]
        return {end["hostname"] for each in slices for end in each["endpoints"] or [] if end["addresses"]}

    wait_until(lambda: resolvable() == names)
    ranks = [pod["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"] for pod in lab.pods("bert")]
    assert sorted(ranks) == [str(index) for index in range(8)]
    assert "bert-workers" in lab.project.names("networkpolicies", TEAM)
    lab.unchanged()


def test_a_group_is_refused_by_a_preview_where_the_cluster_lacks_the_operator(lab: Lab) -> None:
    lab.declare(bert={**TORCHRUN, "restart": "group"})
    refused = lab.refused("preview")
    assert "bert-needs-jobset-operator" in refused
    assert "resource 'jobsets.jobset.x-k8s.io' does not exist" in refused


def test_a_group_where_the_cluster_has_the_operator(lab: Lab) -> None:
    crd = lab.project.apply(JOBSET_CRD)
    assert crd.returncode == 0, crd.stderr
    wait_until(lambda: "jobsets" in lab.project.run("kubectl", "api-resources", "-o", "name").stdout)
    group = {**TORCHRUN, "restart": "group", "fatalExitCodes": [3]}
    lab.up(bert=group)
    lab.unchanged()
    lab.up(bert={**group, "labels": {"tier": "gold"}})
    assert lab.project.get("jobset", "bert", TEAM)["metadata"]["labels"]["tier"] == "gold"
    lab.declare(bert={**group, "image": "trainer:v2"})
    assert "containers[trainer].image would change" in lab.refused("preview")
    lab.up(bert={**group, "image": "trainer:v2", "runId": "2"})
    assert lab.project.names("jobsets", TEAM) == ["bert-2"]


# The operator's kind as far as this project uses it, and strict where it does; the template is a Job's.
_RULE = {
    "type": "object",
    "required": ["name", "action"],
    "properties": {
        "name": {"type": "string"},
        "action": {"type": "string", "enum": ["FailJobSet", "RestartJobSet", "RestartJobSetAndIgnoreMaxRestarts"]},
        "onJobFailureReasons": {"type": "array", "items": {"type": "string"}},
    },
}
_SPEC = {
    "type": "object",
    "properties": {
        "network": {"type": "object", "properties": {"enableDNSHostnames": {"type": "boolean"}}},
        "failurePolicy": {
            "type": "object",
            "properties": {"maxRestarts": {"type": "integer"}, "rules": {"type": "array", "items": _RULE}},
        },
        "replicatedJobs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "template"],
                "properties": {
                    "name": {"type": "string"},
                    "replicas": {"type": "integer"},
                    "template": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                },
            },
        },
    },
}
JOBSET_CRD: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "jobsets.jobset.x-k8s.io"},
    "spec": {
        "group": "jobset.x-k8s.io",
        "names": {"kind": "JobSet", "listKind": "JobSetList", "plural": "jobsets", "singular": "jobset"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1alpha2",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": _SPEC,
                            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                        },
                    }
                },
            }
        ],
    },
}


def test_a_queued_run_is_not_awaited(lab: Lab) -> None:
    # What Kueue does to a Job with its label, done by hand: it is suspended before it starts.
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": "suspend-queued-jobs"},
        "spec": {
            "matchConstraints": {
                "resourceRules": [
                    {"apiGroups": ["batch"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["jobs"]}
                ]
            },
            "matchConditions": [
                {"name": "queued", "expression": "'kueue.x-k8s.io/queue-name' in object.metadata.?labels.orValue({})"}
            ],
            "reinvocationPolicy": "Never",
            "mutations": [
                {
                    "patchType": "ApplyConfiguration",
                    "applyConfiguration": {"expression": "Object{spec: Object.spec{suspend: true}}"},
                }
            ],
        },
    }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": "suspend-queued-jobs"},
        "spec": {"policyName": "suspend-queued-jobs"},
    }
    for manifest in (policy, binding):
        created = lab.project.apply(manifest)
        assert created.returncode == 0, created.stderr
    time.sleep(2)  # until the API server has taken it in
    started = time.monotonic()
    lab.up(bert={**LONG, "queue": "gpus"})
    assert time.monotonic() - started < 30
    job = lab.project.get("job", "bert", TEAM)
    assert job["spec"]["suspend"] is True
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "gpus"
    assert lab.pods("bert") == []
    lab.unchanged()


def test_nothing_is_waited_for(lab: Lab) -> None:
    lab.up(bert={**LONG, "waitFor": "none"})
    lab.unchanged()


def test_the_pod_form_is_ready_and_is_not_changed_under_its_feet(lab: Lab) -> None:
    pod = {**LONG, "controller": "pod"}
    lab.up(bert=pod)
    assert lab.project.get("pod", "bert", TEAM)["status"]["phase"] == "Running"
    lab.declare(bert={**pod, "image": "trainer:v2"})
    assert "spec.containers[trainer].image would change" in lab.refused("preview")


EVERYTHING: dict[str, Any] = {
    "team": TEAM,
    "nodePool": "gpu",
    "gpus": 2,
    "command": ["torchrun", "train.py"],
    "args": ["--lr", "1"],
    "env": {"A": "1"},
    "secretEnv": {"TOKEN": {"secret": "hub", "key": "token"}},
    "framework": "pytorch",
    "experiment": "lr",
    "labels": {"tier": "gold"},
    "annotations": {RUN_FOR: "600s"},
    "priorityClass": "high",
    "workers": 2,
    "distributed": "torchrun",
    "minWorkers": 1,
    "fatalExitCodes": [3, 4],
    "volumes": {
        "claim": {"path": "/claim", "claim": "data", "accessMode": "ReadWriteMany"},
        "scratch": {"path": "/scratch", "ephemeral": "5Gi"},
        "weights": {"path": "/weights", "image": "models/bert:v1"},
        "settings": {"path": "/settings", "configMap": "settings"},
    },
    "sharedMemory": "2Gi",
    "init": [{"name": "stage", "command": ["fetch"], "resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}],
    "checkpoints": {"claim": "runs", "accessMode": "ReadWriteMany"},
    "retries": 3,
    "deadline": 3600,
    "runId": "2",
}


def test_every_option_together_passes_the_api_server_and_restricted_pod_security(lab: Lab) -> None:
    priority = {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": "high"},
        "value": 1000,
    }
    assert lab.project.apply(priority).returncode == 0
    lab.up(bert=EVERYTHING)
    # Pods are what Pod Security is enforced on, so that it is they who prove it.
    wait_until(lambda: len(lab.pods("bert-2")) == 2)
    spec = lab.pods("bert-2")[0]["spec"]
    assert spec["priority"] == 1000
    variables = {variable["name"]: variable.get("value") for variable in spec["containers"][0]["env"]}
    assert variables["CHECKPOINT_DIR"] == "/checkpoints/bert-2"
    assert variables["PET_NNODES"] == "1:2"
    assert [container["name"] for container in spec["initContainers"]] == ["stage"]
    lab.unchanged()


def test_destroy_needs_no_program_and_leaves_nothing(stack: Lab) -> None:
    stack.up(bert={**LONG, "previousRuns": "keep"}, eight=TORCHRUN)
    stack.up(bert={**LONG, "previousRuns": "keep", "runId": "2"}, eight=TORCHRUN)
    destroyed = stack.pulumi("destroy", "--yes", "--skip-preview")
    assert destroyed.returncode == 0, destroyed.stdout + destroyed.stderr
    assert stack.project.get("jobs")["items"] == []
    assert stack.project.get("pods")["items"] == []
