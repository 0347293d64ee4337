"""What the cluster says of a workload that does not come up, and what is made of it."""

import json
import os
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from components.model_service.rollout import Rollout
from review.explain import KINDS, ClusterError, Diagnosis, explain, read, told
from review.symptoms import SYMPTOMS

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
    ("FailedCreate", 'pods "x" is forbidden: pod rejected: RuntimeClass "nvidia" not found', "no RuntimeClass nvidia", "node pool"),
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
    ("Unhealthy", "Startup probe failed: connection refused", "the model has not loaded", "startupBudgetSeconds"),
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


@pytest.mark.parametrize(("reason", "message", "what", "fix"), SAID, ids=[f"{said[0]}: {said[2]}" for said in SAID])
def test_what_is_made_of_an_event(reason: str, message: str, what: str, fix: str) -> None:
    (diagnosis,) = explain([DEPLOYMENT, REPLICA_SET, pod(), event(reason, message)])
    assert diagnosis.workload == "Deployment ml-serving/bert"
    assert what in diagnosis.what
    assert fix in diagnosis.fix
    assert diagnosis.count == 3


@pytest.mark.parametrize("state", ["state", "lastState"])
def test_out_of_memory_is_the_memory_limit(state: str) -> None:
    killed = {state: {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}
    (diagnosis,) = explain([DEPLOYMENT, REPLICA_SET, pod(killed)])
    assert diagnosis.what == "container server was OOMKilled: the memory limit of 8Gi is too low"
    assert "raise resources.limits.memory" in diagnosis.fix


def test_a_crash_names_the_command_that_shows_why() -> None:
    crashed = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"exitCode": 2}}}
    (diagnosis,) = explain([pod(crashed)])
    assert diagnosis.what == "container server ends again and again with exit code 2"
    assert diagnosis.fix.endswith("kubectl logs -n ml-serving bert-5d-x -c server --previous")


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
    assert (diagnosis.workload, diagnosis.fix.split(",")[0]) == ("Job ml-training/train", "raise deadlineSeconds")


def test_what_has_come_right_is_not_told() -> None:
    scheduling = event("FailedScheduling", "0/2 nodes are available: 2 Insufficient memory.")
    assert explain([pod(ready="True"), scheduling]) == []
    assert explain([scheduling]) == []  # the pod is gone
    assert explain([pod(), {**scheduling, "type": "Normal"}]) == []
    full = event("FailedCreate", SAID[0][1], "ReplicaSet", "bert-5d")
    assert len(explain([REPLICA_SET, full])) == 1
    assert explain([{**REPLICA_SET, "status": {"readyReplicas": 2}}, full]) == []


EXITED = {"state": {"terminated": {"exitCode": 1}}}


def job(name: str = "train", **status: Any) -> dict[str, Any]:
    return {"kind": "Job", "metadata": {"namespace": "ml-serving", "name": name}, "spec": {}, "status": status}


def of_job(pod: dict[str, Any]) -> dict[str, Any]:
    owners = [{"kind": "Job", "name": "train", "controller": True}]
    return {**pod, "metadata": {**pod["metadata"], "ownerReferences": owners}}


def test_a_failed_try_of_a_job_that_is_complete_is_past() -> None:
    tried = of_job(pod(EXITED))
    assert len(explain([job(active=1), tried])) == 1
    complete = job(conditions=[{"type": "Complete", "status": "True"}])
    assert explain([complete, tried]) == []
    assert explain([complete, tried, event("BackOff", "Back-off restarting failed container, image r/bert")]) == []


def test_what_events_are_about_is_read() -> None:
    """An event whose source is not among the objects counts as past."""
    assert {"services", "persistentvolumeclaims", "pods", "jobs"} <= set(KINDS.split(","))


def test_how_a_ready_container_ended_before_is_past() -> None:
    ended_before = {"lastState": {"terminated": {"exitCode": 1}}}
    assert explain([pod(ended_before, ready="True")]) == []
    assert explain([pod({**ended_before, "ready": True})]) == []  # another container keeps the pod from being ready
    assert len(explain([pod({**ended_before, "ready": False})])) == 1


def test_pods_of_a_new_version_are_told_while_those_of_the_old_serve() -> None:
    serving = {**DEPLOYMENT, "status": {"readyReplicas": 2}}
    (diagnosis,) = explain([serving, {**REPLICA_SET, "status": {}}, pod(EXITED)])
    assert diagnosis.workload == "Deployment ml-serving/bert"


def test_a_load_balancer_that_the_cloud_does_not_give() -> None:
    service = {
        "kind": "Service",
        "metadata": {"namespace": "ml-serving", "name": "model-api"},
        "spec": {"type": "LoadBalancer"},
        "status": {"loadBalancer": {}},
    }
    said = event("SyncLoadBalancerFailed", "Error syncing load balancer: quota exceeded", "Service", "model-api")
    (diagnosis,) = explain([service, said])
    assert diagnosis.workload == "Service ml-serving/model-api"
    assert "gives the Service no load balancer" in diagnosis.what
    assert explain([{**service, "status": {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}}}, said]) == []


def test_a_claim_that_gets_no_volume() -> None:
    claim: dict[str, Any] = {
        "kind": "PersistentVolumeClaim",
        "metadata": {"namespace": "ml-serving", "name": "m"},
        "status": {},
    }
    said = event("ProvisioningFailed", 'storageclass.storage.k8s.io "fast" not found', claim["kind"], "m")
    (diagnosis,) = explain([claim, said])
    assert (diagnosis.workload, diagnosis.what) == (
        "PersistentVolumeClaim ml-serving/m",
        "there is no StorageClass fast",
    )
    assert explain([{**claim, "status": {"phase": "Bound"}}, said]) == []


def preempted(name: str) -> dict[str, Any]:
    return event("Preempted", "Preempted by pod 5d on node gpu-1", name=name, kind_of="Normal")


@pytest.mark.parametrize(
    ("owner", "victim", "workload"),
    [
        (REPLICA_SET, "bert-5d-x", "Deployment ml-serving/bert"),
        (job(), "train-abcde", "Job ml-serving/train"),
        (job(active=2, ready=1), "train-0-abcde", "Job ml-serving/train"),
        (pod(), "bert-5d-x", "Deployment ml-serving/bert"),
    ],
    ids=["of a ReplicaSet", "of a Job", "of an Indexed Job", "not gone yet"],
)
def test_a_preempted_pod_is_told_by_its_owner(owner: dict[str, Any], victim: str, workload: str) -> None:
    (diagnosis,) = explain([DEPLOYMENT, REPLICA_SET, owner, preempted(victim)])
    assert diagnosis.workload == workload
    assert diagnosis.what == "pods of a higher priority took its place"


def test_a_preempted_pod_that_has_been_replaced_is_past() -> None:
    assert explain([preempted("bert-5d-x")]) == []
    assert explain([{**REPLICA_SET, "status": {"readyReplicas": 2}}, preempted("bert-5d-x")]) == []
    assert explain([job(active=2, ready=2), preempted("train-0-abcde")]) == []


def test_mends_name_rollouts_that_there_are() -> None:
    named = {name for symptom in SYMPTOMS for name in re.findall(r"rollout: (\w+)", symptom.fix)}
    assert named
    assert named <= set(get_args(Rollout))


_PULUMI = """#!/bin/sh
case "$*" in
  "stack export --stack prod") cat "$0.state" ;;
  "config --stack prod --json") cat "$0.config" ;;
  "config get kubernetes:context --stack prod") echo gpu-cluster ;;
  "config get kubernetes:kubeconfig --stack prod") cat "$0.kubeconfig" ;;
  *) echo "unexpected: $*" >&2; exit 1 ;;
esac
"""
_KUBECTL = """#!/bin/sh
echo "$@" >> "$0.calls"
while [ $# -gt 0 ]; do
  if [ "$1" = --kubeconfig ]; then ls -l "$2" | cut -c1-10 > "$0.seen"; cat "$2" >> "$0.seen"; fi
  shift
done
echo '{"items": []}'
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ``pulumi`` with the state of a stack, and a ``kubectl`` that writes down how it is called."""
    for name, text in (("pulumi", _PULUMI), ("kubectl", _KUBECTL)):
        (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    resources = [{"inputs": {"kind": "Namespace", "metadata": {"name": "ml-serving"}}}]
    (tmp_path / "pulumi.state").write_text(json.dumps({"deployment": {"resources": resources}}), encoding="utf-8")
    (tmp_path / "pulumi.config").write_text("{}", encoding="utf-8")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path


def calls(programs: Path) -> list[str]:
    return (programs / "kubectl.calls").read_text(encoding="utf-8").splitlines()


_ASKED = f"get {KINDS} --namespace ml-serving --output json"


def test_the_cluster_of_the_stack_is_read(programs: Path) -> None:
    assert read("prod") == []
    (programs / "pulumi.config").write_text('{"kubernetes:context": {"value": "gpu-cluster"}}', encoding="utf-8")
    read("prod")
    assert calls(programs) == [_ASKED, f"--context gpu-cluster {_ASKED}"]


def test_a_kubeconfig_that_is_a_path(programs: Path) -> None:
    own = programs / "own"
    own.write_text("of a path", encoding="utf-8")
    (programs / "pulumi.config").write_text('{"kubernetes:kubeconfig": {"value": "x"}}', encoding="utf-8")
    (programs / "pulumi.kubeconfig").write_text(f"{own}\n", encoding="utf-8")
    read("prod")
    assert calls(programs) == [f"--kubeconfig {own} {_ASKED}"]


@pytest.mark.parametrize(
    "contents",
    ["clusters: []\nusers:\n- token: swordfish\n", '{"clusters": [], "users": [{"token: swordfish": 1}]}' + " " * 5000],
)
def test_a_secret_kubeconfig_is_on_no_command_line_and_in_no_file_afterwards(programs: Path, contents: str) -> None:
    (programs / "pulumi.config").write_text('{"kubernetes:kubeconfig": {"secret": true}}', encoding="utf-8")
    (programs / "pulumi.kubeconfig").write_text(contents, encoding="utf-8")
    read("prod")
    (call,) = calls(programs)
    assert "swordfish" not in call
    assert not Path(call.split()[1]).exists()
    seen = (programs / "kubectl.seen").read_text(encoding="utf-8")
    assert seen.startswith("-rw-------\n")
    assert "token: swordfish" in seen


def test_a_cluster_that_cannot_be_read(programs: Path) -> None:
    (programs / "kubectl").write_text("#!/bin/sh\necho 'no such context' >&2; exit 1\n", encoding="utf-8")
    with pytest.raises(ClusterError, match="no such context"):
        read("prod")


def test_one_cause_is_told_once() -> None:
    full = event("FailedCreate", SAID[0][1], "ReplicaSet", "bert-5d")
    (diagnosis,) = explain([DEPLOYMENT, REPLICA_SET, full, full])
    assert diagnosis.count == 6


def test_told() -> None:
    assert "nothing is wrong" in told("prod", [])
    text = told("prod", [Diagnosis("Job a/b", "it fails", "fix it", "so it said", 2)])
    assert text == "prod: 1 thing is wrong\n\nJob a/b: it fails (2 times)\n  fix it\n  said: so it said\n"
