"""The diagnosis of a failed update."""

import json
from pathlib import Path
from typing import Any

import pytest

from review.cluster.kubectl import ClusterError
from review.explain import KINDS, Diagnosis, as_json, as_text, explain, read
from review.messages import Kind
from tests.review.programs import first_on_path, stand_in
from tests.review.reported import FULL

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
BERT = "Deployment ml-serving/bert"


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
    reason: str, message: str, kind: str = "Pod", name: str = "bert-5d-x", event_type: str = "Warning"
) -> dict[str, Any]:
    return {
        "kind": "Event",
        "metadata": {"namespace": "ml-serving", "name": "e"},
        "involvedObject": {"kind": kind, "namespace": "ml-serving", "name": name},
        "type": event_type,
        "reason": reason,
        "message": message,
        "count": 3,
    }


def diagnosed(*objects: dict[str, Any]) -> list[tuple[str, str]]:
    """Workload and symptom of each diagnosis."""
    return [(diagnosis.workload, diagnosis.symptom.code) for diagnosis in explain(objects)]


MEMORY = event("FailedScheduling", "0/2 nodes are available: 2 Insufficient memory.")
QUOTA = event("FailedCreate", FULL, "ReplicaSet", "bert-5d")


def test_an_event_is_diagnosed_for_its_workload() -> None:
    (diagnosis,) = explain([DEPLOYMENT, REPLICA_SET, pod(), MEMORY])
    assert (diagnosis.workload, diagnosis.symptom.code, diagnosis.count) == (BERT, "resources-insufficient", 3)
    assert diagnosis.reported == MEMORY["message"]


def test_a_long_message_is_abbreviated() -> None:
    long = event("FailedScheduling", "2 Insufficient memory. " + "x" * 400)
    (diagnosis,) = explain([pod(), long])
    assert diagnosis.reported == long["message"][:300] + "…"


def test_one_cause_is_diagnosed_once() -> None:
    (diagnosis,) = explain([DEPLOYMENT, REPLICA_SET, QUOTA, QUOTA])
    assert diagnosis.count == 6


@pytest.mark.parametrize("state", ["state", "lastState"])
def test_a_container_that_ran_out_of_memory(state: str) -> None:
    killed = {state: {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}
    (diagnosis,) = explain([DEPLOYMENT, REPLICA_SET, pod(killed)])
    assert (diagnosis.workload, diagnosis.symptom.code) == (BERT, "container-oom-killed")
    assert diagnosis.symptom.values == {"container": "server", "memory_limit": "memory limit of 8Gi"}
    assert diagnosis.reported == "exit code 137"


def test_a_container_that_crashes_repeatedly() -> None:
    crashed = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"exitCode": 2}}}
    (diagnosis,) = explain([pod(crashed)])
    assert diagnosis.symptom.code == "container-crash-loops"
    assert diagnosis.symptom.values == {
        "container": "server",
        "exit": "exit code 2",
        "command": "kubectl logs -n ml-serving bert-5d-x -c server --previous",
    }


EXITED = {"state": {"terminated": {"exitCode": 1, "message": "no such file"}}}


def test_a_container_that_failed() -> None:
    (diagnosis,) = explain([pod(EXITED)])
    assert (diagnosis.symptom.code, diagnosis.reported) == ("container-failed", "no such file")
    assert "--previous" not in str(diagnosis.symptom.values["command"])


def test_a_container_that_waits_for_its_image() -> None:
    waits = {"state": {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "a": not found'}}}
    assert diagnosed(pod(waits)) == [("ReplicaSet ml-serving/bert-5d", "image-not-found")]


def test_a_container_that_is_ready_has_recovered() -> None:
    exited_before = {"lastState": {"terminated": {"exitCode": 1}}}
    assert explain([pod(exited_before, ready="True")]) == []
    assert explain([pod({**exited_before, "ready": True})]) == []  # another container of the pod is not ready
    assert len(explain([pod({**exited_before, "ready": False})])) == 1


def job(name: str = "train", **status: Any) -> dict[str, Any]:
    return {"kind": "Job", "metadata": {"namespace": "ml-serving", "name": name}, "spec": {}, "status": status}


def of_job(owned: dict[str, Any]) -> dict[str, Any]:
    owners = [{"kind": "Job", "name": "train", "controller": True}]
    return {**owned, "metadata": {**owned["metadata"], "ownerReferences": owners}}


def test_a_failed_run() -> None:
    failed = {"type": "Failed", "status": "True", "reason": "DeadlineExceeded", "message": "too long"}
    assert diagnosed(job(conditions=[failed])) == [("Job ml-serving/train", "run-deadline-exceeded")]


def test_failed_pods_of_a_complete_job_are_ignored() -> None:
    tried = of_job(pod(EXITED))
    assert diagnosed(job(active=1), tried) == [("Job ml-serving/train", "container-failed")]
    complete = job(conditions=[{"type": "Complete", "status": "True"}])
    assert explain([complete, tried]) == []
    assert explain([complete, tried, event("BackOff", "Back-off restarting failed container, image r/bert")]) == []


def test_events_of_healthy_or_deleted_objects_are_ignored() -> None:
    assert explain([pod(ready="True"), MEMORY]) == []
    assert explain([MEMORY]) == []
    assert explain([pod(), {**MEMORY, "type": "Normal"}]) == []
    assert len(explain([REPLICA_SET, QUOTA])) == 1
    assert explain([{**REPLICA_SET, "status": {"readyReplicas": 2}}, QUOTA]) == []


def test_pods_of_a_new_version_count_while_those_of_the_old_one_are_ready() -> None:
    serving = {**DEPLOYMENT, "status": {"readyReplicas": 2}}
    assert diagnosed(serving, {**REPLICA_SET, "status": {}}, pod(EXITED)) == [(BERT, "container-failed")]


def test_the_objects_of_all_events_are_read() -> None:
    """An event whose object is not read is ignored."""
    assert {"services", "persistentvolumeclaims", "pods", "jobs"} <= set(KINDS.split(","))


def test_a_service_without_its_load_balancer() -> None:
    service = {
        "kind": "Service",
        "metadata": {"namespace": "ml-serving", "name": "model-api"},
        "spec": {"type": "LoadBalancer"},
        "status": {"loadBalancer": {}},
    }
    failed = event("SyncLoadBalancerFailed", "Error syncing load balancer: quota exceeded", "Service", "model-api")
    assert diagnosed(service, failed) == [("Service ml-serving/model-api", "load-balancer-failed")]
    assert explain([{**service, "status": {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}}}, failed]) == []


def test_a_claim_without_a_volume() -> None:
    claim: dict[str, Any] = {
        "kind": "PersistentVolumeClaim",
        "metadata": {"namespace": "ml-serving", "name": "m"},
        "status": {},
    }
    failed = event("ProvisioningFailed", 'storageclass.storage.k8s.io "fast" not found', claim["kind"], "m")
    assert diagnosed(claim, failed) == [("PersistentVolumeClaim ml-serving/m", "storage-class-not-found")]
    assert explain([{**claim, "status": {"phase": "Bound"}}, failed]) == []


def preempted(name: str) -> dict[str, Any]:
    return event("Preempted", "Preempted by pod 5d on node gpu-1", name=name, event_type="Normal")


@pytest.mark.parametrize(
    ("owner", "victim", "workload"),
    [
        (REPLICA_SET, "bert-5d-x", BERT),
        (job(), "train-abcde", "Job ml-serving/train"),
        (job(active=2, ready=1), "train-0-abcde", "Job ml-serving/train"),
        (pod(), "bert-5d-x", BERT),
    ],
    ids=["of a ReplicaSet", "of a Job", "of an Indexed Job", "not deleted yet"],
)
def test_a_preempted_pod_is_diagnosed_for_its_owner(owner: dict[str, Any], victim: str, workload: str) -> None:
    assert diagnosed(DEPLOYMENT, REPLICA_SET, owner, preempted(victim)) == [(workload, "pod-preempted")]


def test_a_preempted_pod_that_has_been_replaced_is_ignored() -> None:
    assert explain([preempted("bert-5d-x")]) == []
    assert explain([{**REPLICA_SET, "status": {"readyReplicas": 2}}, preempted("bert-5d-x")]) == []
    assert explain([job(active=2, ready=2), preempted("train-0-abcde")]) == []


PULUMI = """
case "$*" in
  "stack export --stack prod") cat "$0.state" ;;
  "config --stack prod --json") cat "$0.config" ;;
  "config get kubernetes:context --stack prod") echo gpu-cluster ;;
  "config get kubernetes:kubeconfig --stack prod") cat "$0.kubeconfig" ;;
  *) echo "unexpected: $*" >&2; exit 1 ;;
esac
"""
KUBECTL = """
echo "$@" >> "$0.calls"
while [ $# -gt 0 ]; do
  if [ "$1" = --kubeconfig ]; then ls -l "$2" | cut -c1-10 > "$0.read"; cat "$2" >> "$0.read"; fi
  shift
done
echo '{"items": [{"kind": "Pod"}]}'
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ``pulumi`` with the state of a stack, and a ``kubectl`` that records its calls."""
    stand_in(tmp_path, "pulumi", PULUMI)
    stand_in(tmp_path, "kubectl", KUBECTL)
    resources = [{"inputs": {"kind": "Namespace", "metadata": {"name": "ml-serving"}}}]
    (tmp_path / "pulumi.state").write_text(json.dumps({"deployment": {"resources": resources}}), encoding="utf-8")
    (tmp_path / "pulumi.config").write_text("{}", encoding="utf-8")
    first_on_path(tmp_path, monkeypatch)
    return tmp_path


def calls(programs: Path) -> list[str]:
    return (programs / "kubectl.calls").read_text(encoding="utf-8").splitlines()


_GET = f"get {KINDS} --namespace ml-serving --output json"


def test_the_cluster_of_the_stack_is_read(programs: Path) -> None:
    assert read("prod") == [{"kind": "Pod"}]
    (programs / "pulumi.config").write_text('{"kubernetes:context": {"value": "gpu-cluster"}}', encoding="utf-8")
    read("prod")
    assert calls(programs) == [_GET, f"--context gpu-cluster {_GET}"]


def test_a_kubeconfig_that_is_a_path(programs: Path) -> None:
    own = programs / "own"
    own.write_text("content", encoding="utf-8")
    (programs / "pulumi.config").write_text('{"kubernetes:kubeconfig": {"value": "x"}}', encoding="utf-8")
    (programs / "pulumi.kubeconfig").write_text(f"{own}\n", encoding="utf-8")
    read("prod")
    assert calls(programs) == [f"--kubeconfig {own} {_GET}"]


@pytest.mark.parametrize(
    "content",
    ["clusters: []\nusers:\n- token: swordfish\n", '{"clusters": [], "users": [{"token: swordfish": 1}]}' + " " * 5000],
)
def test_a_secret_kubeconfig_is_neither_an_argument_nor_left_in_a_file(programs: Path, content: str) -> None:
    (programs / "pulumi.config").write_text('{"kubernetes:kubeconfig": {"secret": true}}', encoding="utf-8")
    (programs / "pulumi.kubeconfig").write_text(content, encoding="utf-8")
    read("prod")
    (call,) = calls(programs)
    assert "swordfish" not in call
    assert not Path(call.split()[1]).exists()
    read_by_kubectl = (programs / "kubectl.read").read_text(encoding="utf-8")
    assert read_by_kubectl.startswith("-rw-------\n")
    assert "token: swordfish" in read_by_kubectl


def test_the_error_of_a_cluster_has_the_command_and_all_of_its_output(programs: Path) -> None:
    stand_in(programs, "kubectl", "echo 'retrying' >&2; echo 'error: no such context' >&2; exit 1")
    with pytest.raises(ClusterError) as raised:
        read("prod")
    assert str(raised.value) == "no such context"
    assert raised.value.details == f"kubectl {_GET}: retrying\nerror: no such context"


def test_an_object_that_may_not_be_read_is_an_error(programs: Path) -> None:
    stand_in(programs, "kubectl", "echo 'Error from server (Forbidden): pods is forbidden' >&2; exit 1")
    with pytest.raises(ClusterError, match="forbidden"):
        read("prod")


def test_formats() -> None:
    symptom = Kind("a-symptom", "symptom", "it fails", "fix it")()
    diagnosis = Diagnosis("Job a/b", symptom, "reported so", 2)
    assert as_text("prod", []).startswith("prod: ")
    _, *lines = as_text("prod", [diagnosis, Diagnosis("Job a/c", symptom, "")]).splitlines()
    assert lines == [
        "", "Job a/b: it fails (2 times)", "  fix it", "  reported: reported so", "", "Job a/c: it fails", "  fix it",
    ]  # fmt: skip
    assert json.loads(as_json("prod", [diagnosis])) == [
        {
            "workload": "Job a/b",
            "symptom": "a-symptom",
            "text": "it fails",
            "fix": "fix it",
            "reported": "reported so",
            "count": 2,
        }
    ]
