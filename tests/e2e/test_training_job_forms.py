"""The forms of a training job on the real API server: workers, groups, queues, a Pod, every option."""

import json
import time
from typing import Any

import pytest

from tests.e2e.api import Api
from tests.e2e.lab import LONG, RUN_FOR, TEAM, TORCHRUN, Lab, wait_until
from tests.lesson import missing
from tests.trainings import CUSTOM, OPTIONS, objects

# In place of Kueue: a policy that suspends every new Job with its label.
SUSPENDING: dict[str, Any] = {
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
SUSPENDS: dict[str, Any] = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "MutatingAdmissionPolicyBinding",
    "metadata": {"name": "suspend-queued-jobs"},
    "spec": {"policyName": "suspend-queued-jobs"},
}

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
    "initContainers": [
        {"name": "stage", "command": ["fetch"], "resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}
    ],
    "checkpoints": {"claim": "runs", "accessMode": "ReadWriteMany"},
    "retries": 3,
    "deadlineSeconds": 3600,
    "runId": "2",
}

FORMS: dict[str, dict[str, Any]] = {
    "eight": TORCHRUN,
    "queued": {**LONG, "queue": "gpus"},
    "hasty": {**LONG, "waitFor": "none"},
    "bare": {**LONG, "controller": "pod"},
    "everything": EVERYTHING,
}


@pytest.fixture(scope="module")
def forms(lab: Lab) -> Lab:
    """All forms, deployed side by side. None of the runs ends."""
    priority = {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": "high"},
        "value": 1000,
    }
    for manifest in (SUSPENDING, SUSPENDS, priority):
        created = lab.project.apply(manifest)
        assert created.returncode == 0, created.stderr
    time.sleep(2)  # the API server polls for policies
    started = time.monotonic()
    lab.up(**FORMS)
    assert time.monotonic() - started < 60
    return lab


def test_a_second_up_changes_nothing(forms: Lab) -> None:
    forms.unchanged()


@pytest.mark.parametrize("option", OPTIONS)
def test_the_api_server_keeps_every_field_of_every_option(option: str, api: Api, forms: Lab) -> None:
    for manifest in objects(**OPTIONS[option]).values():
        if manifest["kind"] not in CUSTOM:
            assert missing(manifest, api.dry_run(manifest)) == [], manifest["kind"]


def test_the_service_resolves_the_host_names_of_eight_workers(forms: Lab) -> None:
    names = {f"eight-{index}" for index in range(8)}
    wait_until(lambda: len(forms.pods("eight")) == 8)
    assert {pod["spec"]["hostname"] for pod in forms.pods("eight")} == names
    assert {pod["spec"]["subdomain"] for pod in forms.pods("eight")} == {"eight-workers"}

    def resolvable() -> set[str]:
        slices = forms.project.get("endpointslices", namespace=TEAM)["items"]
        own = [each for each in slices if each["metadata"]["labels"]["kubernetes.io/service-name"] == "eight-workers"]
        return {end["hostname"] for each in own for end in each["endpoints"] or [] if end["addresses"]}

    wait_until(lambda: resolvable() == names)
    ranks = [pod["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"] for pod in forms.pods("eight")]
    assert sorted(ranks) == [str(index) for index in range(8)]
    assert "eight-workers" in forms.project.names("networkpolicies", TEAM)


def test_up_does_not_wait_for_a_queued_run(forms: Lab) -> None:
    job = forms.project.get("job", "queued", TEAM)
    assert job["spec"]["suspend"] is True
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "gpus"
    assert forms.pods("queued") == []


def test_a_job_with_every_option_passes_restricted_pod_security(forms: Lab) -> None:
    # Pod Security is enforced on Pods, not on Jobs: the pods must exist.
    wait_until(lambda: len(forms.pods("everything-2")) == 2)
    spec = forms.pods("everything-2")[0]["spec"]
    assert spec["priority"] == 1000
    variables = {variable["name"]: variable.get("value") for variable in spec["containers"][0]["env"]}
    assert variables["CHECKPOINT_DIR"] == "/checkpoints/everything-2"
    assert variables["PET_NNODES"] == "1:2"
    assert [container["name"] for container in spec["initContainers"]] == ["stage"]


def test_the_pod_of_an_existing_run_is_immutable(forms: Lab) -> None:
    assert forms.project.get("pod", "bare", TEAM)["status"]["phase"] == "Running"
    forms.declare(**{**FORMS, "bare": {**FORMS["bare"], "image": "trainer:v2"}})
    output = forms.rejected("preview")
    assert "spec.containers[trainer].image" in output
    assert "[run-immutable]" in output
    before = forms.uid("pod", "bare")
    forms.up(**{**FORMS, "bare": {**FORMS["bare"], "deadlineSeconds": 3600}})
    lowered = {**FORMS["bare"], "deadlineSeconds": 1800, "annotations": {**LONG["annotations"], "note": "x"}}
    forms.up(**{**FORMS, "bare": lowered})
    pod = forms.project.get("pod", "bare", TEAM)
    assert (pod["metadata"]["uid"], pod["spec"]["activeDeadlineSeconds"]) == (before, 1800)
    forms.declare(**FORMS)
    output = forms.rejected("preview")
    assert "spec.activeDeadlineSeconds" in output
    assert "[run-immutable]" in output


def test_a_preview_rejects_a_group_if_the_operator_is_not_installed(lab: Lab) -> None:
    lab.clear()
    lab.declare(group={**TORCHRUN, "restart": "group"})
    output = lab.rejected("preview")
    assert "group-needs-jobset-operator" in output
    assert "resource 'jobsets.jobset.x-k8s.io' does not exist" in output


def test_a_group_if_the_operator_is_installed(lab: Lab) -> None:
    crd = lab.project.apply(JOBSET_CRD)
    assert crd.returncode == 0, crd.stderr
    wait_until(lambda: "jobsets" in lab.project.run("kubectl", "api-resources", "-o", "name").stdout)
    # No operator runs, and the test sets the status.
    group = {**TORCHRUN, "restart": "group", "fatalExitCodes": [3], "waitFor": "none"}
    lab.up(group=group)
    lab.unchanged()
    lab.up(group={**group, "labels": {"tier": "gold"}})
    assert lab.project.get("jobset", "group", TEAM)["metadata"]["labels"]["tier"] == "gold"
    lab.declare(group={**group, "image": "trainer:v2"})
    output = lab.rejected("preview")
    assert "containers[trainer].image" in output
    assert "[run-immutable]" in output
    start = {**group, "waitFor": "start", "timeoutSeconds": 4}
    lab.declare(group=start)
    lab.rejected("up", "--yes", "--skip-preview")
    counts = {"name": "workers", "ready": 0, "succeeded": 0, "failed": 0, "active": 1, "suspended": 0}
    status = json.dumps({"status": {"replicatedJobsStatus": [counts]}})
    patched = lab.project.run(
        "kubectl", "patch", "jobset", "group", "-n", TEAM, "--subresource=status", "--type=merge", "-p", status
    )
    assert patched.returncode == 0, patched.stderr
    lab.up(group=start)
    lab.up(group={**group, "image": "trainer:v2", "runId": "2"})
    assert lab.project.names("jobsets", TEAM) == ["group-2"]


# The fields of a JobSet that this project uses. Other fields are errors; the template is that of a Job.
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
