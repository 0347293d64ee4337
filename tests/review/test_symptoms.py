"""The symptoms, by the messages with which Kubernetes reports them."""

import re
from typing import get_args

import pytest

from components.model_service.rollout import Rollout
from review.symptoms import SYMPTOMS, recognize
from tests.review.reported import FULL, RESTRICTED

_GPU = "requests.nvidia.com/gpu"

REPORTED: list[tuple[str, str, str, dict[str, str]]] = [
    ("FailedCreate", FULL, "quota-used-up", {"quota": "ml-serving-quota", "requested": f"{_GPU}=1", "used": f"{_GPU}=8", "limit": f"{_GPU}=8"}),
    (
        "FailedCreate",
        'pods "x" is forbidden: failed quota: ml-serving-quota: must specify limits.cpu for: server; limits.memory for: server',
        "quota-requires-resources", {"quota": "ml-serving-quota", "resources": "limits.cpu for: server"},
    ),
    ("FailedCreate", RESTRICTED, "pod-security-violated", {"level": "restricted"}),
    ("FailedCreate", 'pods "x" is forbidden: no PriorityClass with name gold was found', "priority-class-not-found", {"name": "gold"}),
    ("FailedCreate", 'error looking up service account a/bert: serviceaccount "bert" not found', "service-account-not-found", {"name": "bert"}),
    ("FailedCreate", 'pods "x" is forbidden: pod rejected: RuntimeClass "nvidia" not found', "runtime-class-not-found", {"name": "nvidia"}),
    (
        "FailedCreate", "maximum memory usage per Container is 8Gi, but limit is 16Gi",
        "limit-range-violated", {"resource": "memory", "scope": "Container", "limit": "8Gi"},
    ),
    (
        "FailedScheduling", "0/4 nodes are available: 2 Insufficient nvidia.com/gpu, 2 node(s) didn't match Pod's node affinity/selector.",
        "gpus-insufficient", {"resource": "nvidia.com/gpu"},
    ),
    (
        "FailedScheduling", "0/4 nodes are available: 4 Insufficient nvidia.com/gpu. preemption: 0/4 nodes are available.",
        "gpus-insufficient", {"resource": "nvidia.com/gpu"},
    ),
    ("FailedScheduling", "0/4 nodes are available: 4 Insufficient nvidia.com/mig-1g.10gb.", "gpus-insufficient", {"resource": "nvidia.com/mig-1g.10gb"}),
    ("FailedScheduling", "0/2 nodes are available: 2 Insufficient memory.", "resources-insufficient", {"resource": "memory"}),
    ("FailedScheduling", "0/2 nodes are available: 2 node(s) had untolerated taint {nvidia.com/gpu: present}.", "node-taints", {"taint": "nvidia.com/gpu"}),
    ("FailedScheduling", "0/2 nodes are available: 2 node(s) had untolerated taint(s).", "node-taints", {"taint": ""}),
    (
        "FailedScheduling",
        "0/4 nodes are available: 2 node(s) didn't match Pod's node affinity/selector, 2 node(s) had untolerated taint(s).",
        "node-labels-and-taints", {},
    ),
    ("FailedScheduling", "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.", "node-labels", {}),
    ("FailedScheduling", '0/2 nodes are available: persistentvolumeclaim "models" not found.', "claim-not-found", {"name": "models"}),
    ("FailedScheduling", "0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims.", "claim-unbound", {}),
    ("FailedScheduling", "no nodes available to schedule pods", "no-nodes", {}),
    ("FailedScheduling", "0/2 nodes are available: 2 node(s) were unschedulable.", "unschedulable", {}),
    ("Failed", 'Failed to pull image "r/bert:v9": rpc error: not found', "image-not-found", {}),
    ("Failed", 'Failed to pull image "r/bert:v9": pull access denied, authorization failed', "image-pull-unauthorized", {}),
    ("BackOff", 'Back-off pulling image "r/bert:v9"', "image-pull-failed", {}),
    ("InspectFailed", 'Failed to apply default image tag "r/Bert:v9": couldn\'t parse image name', "image-reference-invalid", {}),
    ("FailedMount", 'MountVolume.SetUp failed for volume "m" : secret "hub" not found', "volume-source-not-found", {"kind": "secret", "name": "hub"}),
    ("FailedMount", "MountVolume.SetUp failed: timed out", "volume-mount-failed", {}),
    ("Failed", 'Error: secret "hub" not found', "variable-source-not-found", {"kind": "secret", "name": "hub"}),
    ("Failed", "Error: couldn't find key token in Secret ml-serving/hub", "variable-key-not-found", {"key": "token"}),
    ("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", "readiness-probe-failed", {}),
    ("Unhealthy", "Startup probe failed: connection refused", "startup-probe-failed", {}),
    ("Unhealthy", "Liveness probe failed: timeout", "liveness-probe-failed", {}),
    ("FailedAttachVolume", 'Multi-Attach error for volume "pvc-1"', "claim-mounted-elsewhere", {}),
    ("BackoffLimitExceeded", "Job has reached the specified backoff limit", "run-failed", {}),
    ("DeadlineExceeded", "Job was active longer than specified deadline", "run-deadline-exceeded", {}),
    ("SyncLoadBalancerFailed", "Error syncing load balancer: quota exceeded", "load-balancer-failed", {}),
    ("ProvisioningFailed", 'storageclass.storage.k8s.io "fast" not found', "storage-class-not-found", {"name": "fast"}),
    ("ProvisioningFailed", "failed to provision volume: quota exceeded", "provisioning-failed", {}),
    ("Evicted", "The node was low on resource: memory.", "pod-evicted", {}),
    ("Preempted", "Preempted by pod 5d on node gpu-1", "pod-preempted", {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "message", "code", "values"),
    REPORTED,
    ids=[f"{code} {message[:40]}" for _, message, code, _ in REPORTED],
)
def test_a_symptom_is_recognized(reason: str, message: str, code: str, values: dict[str, str]) -> None:
    symptom = recognize(reason, message)
    assert symptom is not None
    assert symptom.code == code
    assert values.items() <= symptom.values.items()
    assert symptom.text
    assert symptom.fix


def test_every_symptom_has_a_case() -> None:
    assert {code for _, _, code, _ in REPORTED} == {symptom.kind.code for symptom in SYMPTOMS}


def test_the_reason_has_to_match_too() -> None:
    assert recognize("Scheduled", FULL) is None


def test_fixes_name_existing_rollouts() -> None:
    named = {name for symptom in SYMPTOMS for name in re.findall(r"rollout: (\w+)", symptom.kind.fix)}
    assert named
    assert named <= set(get_args(Rollout))
