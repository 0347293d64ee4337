"""Owners of objects, and the pods that workloads want and have."""

from typing import Any

import pytest

from review.twin.owners import Owners, condition, is_ready, key, wanted_pods
from tests.review.twin.fake import pod, with_uid
from tests.review.twin.world import deployment

DEPLOYMENT = with_uid(deployment("web", "web", 3))


def replica_set() -> dict[str, Any]:
    reference = {"uid": DEPLOYMENT["metadata"]["uid"], "controller": True, "kind": "Deployment", "name": "web"}
    metadata = {"name": "web-1", "namespace": "web", "uid": "rs", "ownerReferences": [reference]}
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata, "spec": {"replicas": 3}}


def test_the_root_of_a_pod_is_its_workload() -> None:
    own = pod("a", owner=replica_set())
    owners = Owners([DEPLOYMENT, replica_set(), own])
    assert owners.root(own) == DEPLOYMENT
    assert [one["metadata"]["name"] for one in owners.pods()[key(DEPLOYMENT)]] == ["a"]
    assert len(owners.descendants(DEPLOYMENT)) == 3


def test_a_pod_whose_owner_does_not_exist_is_its_own_root() -> None:
    own = pod("a", owner=replica_set())
    assert Owners([own]).root(own) == own


def test_finished_and_deleted_pods_do_not_count() -> None:
    finished = pod("a", status={"phase": "Succeeded"})
    deleted = pod("b")
    deleted["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert Owners([finished, deleted]).pods() == {}
    assert not is_ready(deleted)


def test_condition() -> None:
    assert condition(pod("a"), "Ready")["status"] == "True"
    assert condition({}, "Ready") == {}


@pytest.mark.parametrize(
    ("kind", "spec", "status", "wanted"),
    [
        ("Deployment", {}, {}, 1),
        ("Deployment", {"replicas": 0}, {}, 0),
        ("StatefulSet", {"replicas": 2}, {}, 2),
        ("DaemonSet", {}, {"desiredNumberScheduled": 4}, 4),
        ("Job", {"parallelism": 3, "completions": 4}, {"succeeded": 2}, 2),
        ("Job", {"suspend": True}, {}, 0),
        ("Job", {}, {"completionTime": "now"}, 0),
        ("Job", {}, {"conditions": [{"type": "Failed", "status": "True"}]}, 0),
        ("Pod", {}, {}, 1),
        ("Service", {}, {}, None),
    ],
)
def test_wanted_pods(kind: str, spec: dict[str, Any], status: dict[str, Any], wanted: int | None) -> None:
    assert wanted_pods({"kind": kind, "spec": spec, "status": status}) == wanted
