"""What the cluster says of a workload that does not come up, and what is made of it."""

from typing import Any

import pytest

from review.explain import Diagnosis, explain, told

RESTRICTED = (
    'Error creating: pods "bert-5d-x" is forbidden: violates PodSecurity "restricted:latest": '
    'allowPrivilegeEscalation != false (container "server" must set securityContext.allowPrivilegeEscalation=false)'
)

SAID: list[tuple[str, str, str, str]] = [
    (
        "FailedCreate",
        'Error creating: pods "bert-5d-x" is forbidden: exceeded quota: ml-serving-quota, '
        "requested: requests.nvidia.com/gpu=1, used: requests.nvidia.com/gpu=8, limited: requests.nvidia.com/gpu=8",
        "ResourceQuota ml-serving-quota is full: requests.nvidia.com/gpu=1 asked for, requests.nvidia.com/gpu=8 in use",
        "raise the team's quota",
    ),
    (
        "FailedCreate",
        'pods "x" is forbidden: failed quota: ml-serving-quota: must specify limits.cpu for: server; limits.memory for: server',
        "the ResourceQuota ml-serving-quota wants every container to say limits.cpu for: server",
        "set resources.requests and resources.limits",
    ),
    ("FailedCreate", RESTRICTED, "Pod Security restricted refuses the pods: allowPrivilegeEscalation", "in security"),
    ("FailedCreate", 'pods "x" is forbidden: no PriorityClass with name gold was found', "no PriorityClass gold", "priorityClass"),
    ("FailedCreate", 'error looking up service account a/bert: serviceaccount "bert" not found', "no ServiceAccount bert", "own"),
    ("FailedCreate", "maximum memory usage per Container is 8Gi, but limit is 16Gi", "allows 8Gi of memory per", "containerLimits"),
    (
        "FailedScheduling",
        "0/4 nodes are available: 2 Insufficient nvidia.com/gpu, 2 node(s) didn't match Pod's node affinity/selector.",
        "no node has a free nvidia.com/gpu",
        "lower gpus or replicas",
    ),
    ("FailedScheduling", "0/2 nodes are available: 2 Insufficient memory.", "enough free memory", "resources.requests.memory"),
    (
        "FailedScheduling",
        "0/2 nodes are available: 2 node(s) had untolerated taint {nvidia.com/gpu: present}.",
        "do not tolerate: nvidia.com/gpu",
        "tolerations",
    ),
    (
        "FailedScheduling",
        "0/4 nodes are available: 2 node(s) didn't match Pod's node affinity/selector, 2 node(s) had untolerated taint(s).",
        "no node has both the labels that the pods select and only taints that they tolerate",
        "scaled to zero",
    ),
    ("FailedScheduling", "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.", "the labels", "--show-labels"),
    ("FailedScheduling", '0/2 nodes are available: persistentvolumeclaim "models" not found.', "Claim models", "volumes.<name>.claim"),
    ("Failed", 'Failed to pull image "r/bert:v9": rpc error: not found', "the registry has no such image", "path or tag"),
    ("Failed", 'Failed to pull image "r/bert:v9": pull access denied, authorization failed', "does not let", "imagePullSecrets"),
    ("BackOff", 'Back-off pulling image "r/bert:v9"', "the node cannot pull the image", "from the nodes"),
    ("InspectFailed", 'Failed to apply default image tag "r/Bert:v9": couldn\'t parse image name', "no image reference", "lower case"),
    ("FailedMount", 'MountVolume.SetUp failed for volume "m" : secret "hub" not found', "there is no secret hub", "volumes"),
    ("Failed", 'Error: secret "hub" not found', "there is no secret hub, from which a variable", "secretEnv"),
    ("Failed", "Error: couldn't find key token in Secret ml-serving/hub", "has no key token", "secretEnv"),
    ("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", "kept out of the Service's endpoints", "readiness"),
    ("Unhealthy", "Startup probe failed: connection refused", "the model has not loaded", "startupBudget"),
    ("Unhealthy", "Liveness probe failed: timeout", "restarted each time", "health.liveness"),
    ("FailedAttachVolume", 'Multi-Attach error for volume "pvc-1"', "mounted on another node already", "ReadWriteMany"),
]  # fmt: skip

DEPLOYMENT: dict[str, Any] = {
    "kind": "Deployment",
    "metadata": {"namespace": "ml-serving", "name": "bert"},
    "spec": {"replicas": 2},
    "status": {"readyReplicas": 1},
}
REPLICA_SET: dict[str, Any] = {
    "kind": "ReplicaSet",
    "metadata": {
        "namespace": "ml-serving",
        "name": "bert-5d",
        "ownerReferences": [{"kind": "Deployment", "name": "bert", "controller": True}],
    },
    "spec": {"replicas": 2},
    "status": {"readyReplicas": 1},
}


def pod(*statuses: dict[str, Any], ready: str = "False") -> dict[str, Any]:
    return {
        "kind": "Pod",
        "metadata": {
            "namespace": "ml-serving",
            "name": "bert-5d-x",
            "ownerReferences": [{"kind": "ReplicaSet", "name": "bert-5d", "controller": True}],
        },
        "spec": {"containers": [{"name": "server", "resources": {"limits": {"memory": "8Gi"}}}]},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": ready}],
            "containerStatuses": [{"name": "server", **status} for status in statuses],
        },
    }


def event(
    reason: str, message: str, kind: str = "Pod", name: str = "bert-5d-x", kind_of: str = "Warning"
) -> dict[str, Any]:
    return {
        "kind": "Event",
        "metadata": {"namespace": "ml-serving", "name": "e"},
        "involvedObject": {"kind": kind, "namespace": "ml-serving", "name": name},
        "type": kind_of,
        "reason": reason,
        "message": message,
        "count": 3,
    }


@pytest.mark.parametrize(("reason", "message", "what", "mend"), SAID, ids=[f"{said[0]}: {said[2]}" for said in SAID])
def test_what_is_made_of_an_event(reason: str, message: str, what: str, mend: str) -> None:
    (diagnosis,) = explain([DEPLOYMENT, REPLICA_SET, pod(), event(reason, message)])
    assert diagnosis.workload == "Deployment ml-serving/bert"
    assert what in diagnosis.what
    assert mend in diagnosis.mend
    assert diagnosis.count == 3


@pytest.mark.parametrize("state", ["state", "lastState"])
def test_out_of_memory_is_the_memory_limit(state: str) -> None:
    killed = {state: {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}
    (diagnosis,) = explain([DEPLOYMENT, REPLICA_SET, pod(killed)])
    assert diagnosis.what == "container server was OOMKilled: the memory limit of 8Gi is too low"
    assert "raise resources.limits.memory" in diagnosis.mend


def test_a_crash_names_the_command_that_shows_why() -> None:
    crashed = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"exitCode": 2}}}
    (diagnosis,) = explain([pod(crashed)])
    assert diagnosis.what == "container server ends again and again with exit code 2"
    assert diagnosis.mend.endswith("kubectl logs -n ml-serving bert-5d-x -c server --previous")


def test_an_image_that_waits() -> None:
    waits = {"state": {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "a": not found'}}}
    (diagnosis,) = explain([pod(waits)])
    assert diagnosis.what == "the registry has no such image"


def test_a_failed_run() -> None:
    job = {
        "kind": "Job",
        "metadata": {"namespace": "ml-training", "name": "train"},
        "spec": {},
        "status": {
            "conditions": [{"type": "Failed", "status": "True", "reason": "DeadlineExceeded", "message": "too long"}]
        },
    }
    (diagnosis,) = explain([job])
    assert (diagnosis.workload, diagnosis.mend.split(",")[0]) == ("Job ml-training/train", "raise deadline")


def test_what_has_come_right_is_not_told() -> None:
    scheduling = event("FailedScheduling", "0/2 nodes are available: 2 Insufficient memory.")
    assert explain([pod(ready="True"), scheduling]) == []
    assert explain([scheduling]) == []  # the pod is gone
    assert explain([pod(), {**scheduling, "type": "Normal"}]) == []
    full = event("FailedCreate", SAID[0][1], "ReplicaSet", "bert-5d")
    assert len(explain([REPLICA_SET, full])) == 1
    assert explain([{**REPLICA_SET, "status": {"readyReplicas": 2}}, full]) == []


def test_one_cause_is_told_once() -> None:
    full = event("FailedCreate", SAID[0][1], "ReplicaSet", "bert-5d")
    (diagnosis,) = explain([DEPLOYMENT, REPLICA_SET, full, full])
    assert diagnosis.count == 6


def test_told() -> None:
    assert "nothing is wrong" in told("prod", [])
    text = told("prod", [Diagnosis("Job a/b", "it fails", "mend it", "so it said", 2)])
    assert text == "prod: 1 thing is wrong\n\nJob a/b: it fails (2 times)\n  mend it\n  said: so it said\n"
