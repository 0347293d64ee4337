"""What does not work in a cluster."""

from typing import Any

from components.base.objects import Manifest
from review.twin.trouble import new_troubles, reported, troubles
from tests.review.twin.fake import pod, unscheduled, with_uid
from tests.review.twin.world import deployment, manifest

WEB = with_uid(deployment("web", "web", 2))
DONE = {"status": {"updatedReplicas": 2}}
INSUFFICIENT = "0/4 nodes are available: 4 Insufficient nvidia.com/gpu."


def found(*objects: Manifest, events: tuple[Manifest, ...] = ()) -> list[tuple[str, str, str, int]]:
    """Code, name, code of the reason and number of missing pods of each fault."""
    return [
        (one.code, one.manifest["metadata"]["name"], one.reason.code, one.missing) for one in troubles(objects, events)
    ]


def event(of: Manifest, reason: str, message: str) -> Manifest:
    return {"kind": "Event", "reason": reason, "message": message, "involvedObject": {"uid": of["metadata"]["uid"]}}


def test_a_workload_with_all_pods() -> None:
    assert found({**WEB, **DONE}, pod("a", owner=WEB), pod("b", owner=WEB)) == []


def test_pods_that_are_not_scheduled() -> None:
    objects = ({**WEB, **DONE}, pod("a", owner=WEB), unscheduled("b", INSUFFICIENT, WEB))
    assert found(*objects) == [("pods-missing", "web", "gpus-insufficient", 1)]


def test_a_rollout_that_does_not_finish() -> None:
    """All pods of the old version are ready."""
    objects = ({**WEB, "status": {"updatedReplicas": 1}}, pod("a", owner=WEB), pod("b", owner=WEB))
    surge = unscheduled("c", INSUFFICIENT, WEB)
    assert found(*objects, surge) == [("pods-missing", "web", "gpus-insufficient", 1)]


def test_a_stateful_set_whose_update_does_not_finish() -> None:
    status = {"updateRevision": "b", "currentRevision": "a"}
    one = with_uid({**deployment("web", "web", 1), "kind": "StatefulSet", "status": status})
    assert found(one, pod("a", owner=one)) == []
    assert found(one, pod("a", owner=one), unscheduled("b", INSUFFICIENT, one))[0][3] == 1


def test_pods_that_are_not_created() -> None:
    denied = 'pods "x" is forbidden: exceeded quota: quota, requested: pods=1, used: pods=1, limited: pods=1'
    condition = {"type": "ReplicaFailure", "status": "True", "message": denied}
    failed = {**WEB, "status": {"updatedReplicas": 2, "conditions": [condition]}}
    assert found(failed) == [("pods-missing", "web", "quota-used-up", 2)]
    job = with_uid(manifest("batch/v1", "Job", "web", "run", spec={}))
    assert found(job, events=(event(job, "FailedCreate", denied),)) == [("pods-missing", "run", "quota-used-up", 1)]
    assert found(job) == [("pods-missing", "run", "no-pod-created", 1)]


def test_pods_that_do_not_become_ready() -> None:
    waiting = {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}
    stuck = pod("a", owner=WEB, ready=False)
    assert found({**WEB, **DONE}, stuck, pod("b", owner=WEB))[0][2] == "pod-not-ready"
    stuck["status"]["containerStatuses"] = [{"state": {"waiting": waiting}}]
    assert found({**WEB, **DONE}, stuck, pod("b", owner=WEB))[0][2] == "image-pull-failed"


def test_finished_pods_and_objects_that_are_deleted() -> None:
    finished = pod("a", status={"phase": "Succeeded"})
    deleted = with_uid(WEB)
    deleted["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert found(finished, deleted) == []


def test_claims() -> None:
    claim = with_uid(manifest("v1", "PersistentVolumeClaim", "web", "data", spec={}, status={"phase": "Pending"}))
    failed = event(claim, "ProvisioningFailed", 'storageclass.storage.k8s.io "none" not found')
    assert found(claim) == []
    assert found(claim, events=(failed,)) == [("claim-unbound", "data", "storage-class-not-found", 0)]
    assert found(claim, events=(failed, event(claim, "WaitForFirstConsumer", "waiting"))) == []
    assert found({**claim, "status": {"phase": "Bound"}}, events=(failed,)) == []


def test_a_failed_job() -> None:
    condition = {"type": "Failed", "status": "True", "reason": "DeadlineExceeded"}
    job = with_uid(manifest("batch/v1", "Job", "web", "run", spec={}, status={"conditions": [condition]}))
    assert found(job) == [("job-failed", "run", "unrecognized", 0)]


def autoscaler(name: str, **fields: Any) -> Manifest:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    spec = {"scaleTargetRef": target, "metrics": [], **fields}
    return with_uid(manifest("autoscaling/v2", "HorizontalPodAutoscaler", "web", name, spec=spec))


def test_autoscalers() -> None:
    stopped = edited_replicas(0)
    assert found(stopped, autoscaler("a")) == []
    assert found(stopped, autoscaler("a"), autoscaler("b")) == [("autoscaler-failed", "b", "scale-target-shared", 0)]
    assert found(autoscaler("a")) == [("autoscaler-failed", "a", "scale-target-not-found", 0)]


def test_an_autoscaler_by_utilization_needs_requests() -> None:
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization"}}}
    by_value = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "AverageValue"}}}
    web = {**edited_replicas(1), "status": {"updatedReplicas": 1}}
    without = pod("a", owner=WEB, spec={"containers": [{"name": "main"}]})
    requests = {"name": "main", "resources": {"requests": {"cpu": "1"}}}
    assert found(web, without, autoscaler("a", metrics=[metric]))[0][2] == "scale-requests-missing"
    assert found(web, without, autoscaler("a", metrics=[by_value])) == []
    assert found(web, pod("a", owner=WEB, spec={"containers": [requests]}), autoscaler("a", metrics=[metric])) == []


def edited_replicas(replicas: int) -> Manifest:
    return {**WEB, "spec": {**WEB["spec"], "replicas": replicas}}


def test_only_new_faults_are_reported() -> None:
    one_missing = troubles([{**WEB, **DONE}, pod("a", owner=WEB), unscheduled("b", INSUFFICIENT, WEB)], [])
    two_missing = troubles([{**WEB, **DONE}, unscheduled("a", INSUFFICIENT, WEB), unscheduled("b", "x", WEB)], [])
    assert new_troubles(one_missing, one_missing) == []
    assert new_troubles(two_missing, one_missing) == []
    assert new_troubles(one_missing, two_missing) == two_missing
    assert new_troubles([], one_missing) == one_missing


def test_what_is_not_recognized_is_quoted() -> None:
    assert reported("FailedScheduling", "0/4 nodes: too hot").text == "0/4 nodes: too hot"
    assert reported("FailedCreate", "denied by policy").text == "denied by policy"
