"""Volumes in place of those of the drivers."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from components.base.objects import Manifest
from review.twin.client import ApiError
from review.twin.volumes import provisioner
from tests.review.twin.fake import FakeClient

ZONE = "topology.kubernetes.io/zone"


def storage_class(mode: str = "Immediate", driver: str = "disk.csi.example.com", **fields: Any) -> Manifest:
    head = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "disks"}}
    return {**head, "provisioner": driver, "volumeBindingMode": mode, **fields}


def claim(*, name: str = "data", node: str = "", **spec: Any) -> Manifest:
    metadata: Manifest = {"name": name, "namespace": "ml", "uid": name}
    if node:
        metadata["annotations"] = {"volume.kubernetes.io/selected-node": node}
    wanted = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}}
    wanted |= {"storageClassName": "disks", **spec}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": wanted}


def volume(name: str, phase: str, policy: str = "Delete", **spec: Any) -> Manifest:
    head = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "status": {"phase": phase}}
    return {**head, "spec": {"persistentVolumeReclaimPolicy": policy, **spec}}


def created(client: FakeClient) -> list[Manifest]:
    return [one for one in client.objects.values() if one["kind"] == "PersistentVolume"]


def provided(*objects: Manifest, volumes: tuple[Manifest, ...] = ()) -> list[Manifest]:
    """The volumes that exist after the start."""
    client = FakeClient(*objects)
    with provisioner(client, volumes):
        return created(client)


def test_a_claim_gets_the_volume_that_it_requests() -> None:
    (made,) = provided(claim(), storage_class(reclaimPolicy="Retain"))
    assert made["metadata"]["name"] == "pvc-data"
    assert made["metadata"]["annotations"] == {"pv.kubernetes.io/provisioned-by": "disk.csi.example.com"}
    reference = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": "data", "namespace": "ml", "uid": "data"}
    assert made["spec"] == {
        "capacity": {"storage": "5Gi"},
        "accessModes": ["ReadWriteOnce"],
        "volumeMode": "Filesystem",
        "storageClassName": "disks",
        "persistentVolumeReclaimPolicy": "Retain",
        "claimRef": reference,
        "csi": {"driver": "disk.csi.example.com", "volumeHandle": "pvc-data"},
    }


def test_a_provisioner_without_a_csi_driver() -> None:
    (made,) = provided(claim(), storage_class(driver="example.com/nfs"))
    assert made["spec"]["hostPath"] == {"path": "/pvc-data"}
    assert "csi" not in made["spec"]


@pytest.mark.parametrize(
    "objects",
    [
        (claim(),),
        (claim(storageClassName=None), storage_class()),
        (claim(volumeName="other"), storage_class()),
        (claim(), storage_class(driver="kubernetes.io/no-provisioner")),
        (claim(), storage_class("WaitForFirstConsumer")),
        ({**claim(), "metadata": {**claim()["metadata"], "deletionTimestamp": "x"}}, storage_class()),
    ],
)
def test_claims_that_no_driver_would_provide_for(objects: tuple[Manifest, ...]) -> None:
    assert provided(*objects) == []


def test_a_claim_that_waits_for_its_first_consumer_is_bound_to_the_zone_of_its_node() -> None:
    """If the existing volumes of the class are."""
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a", "labels": {ZONE: "b", "other": "c"}}}
    objects = (claim(node="a"), storage_class("WaitForFirstConsumer"), node)
    assert "nodeAffinity" not in provided(*objects)[0]["spec"]
    terms = [{"matchExpressions": [{"key": ZONE, "operator": "In", "values": ["a"]}]}]
    existing = volume("e", "Bound", storageClassName="disks", nodeAffinity={"required": {"nodeSelectorTerms": terms}})
    (made,) = provided(*objects, volumes=(existing, volume("n", "Bound")))
    expression = {"key": ZONE, "operator": "In", "values": ["b"]}
    assert made["spec"]["nodeAffinity"] == {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}


def eventually(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_later_claims_are_provided_for_and_released_volumes_deleted() -> None:
    client = FakeClient(storage_class())
    with provisioner(client, ()):
        client.put(claim())
        eventually(lambda: len(created(client)) == 1)
        client.put(claim())  # a change, after which the volume exists
        client.put(claim(name="second"))
        eventually(lambda: len(created(client)) == 2)
        client.put(volume("pvc-data", "Released"))
        client.put(volume("kept", "Released", "Retain"))
        client.put(volume("used", "Bound"))
        eventually(lambda: ("delete", "PersistentVolume", "pvc-data") in client.changes())
    assert {one["metadata"]["name"] for one in created(client)} == {"pvc-second", "kept", "used"}


def test_a_volume_that_is_denied_leaves_its_claim_pending() -> None:
    client = FakeClient(storage_class(), claim(), volume("old", "Released"))
    client.errors[("create", "pvc-data")] = ApiError(403, "denied")
    client.errors[("delete", "old")] = ApiError(404, "not found")
    with provisioner(client, ()):
        assert [one["metadata"]["name"] for one in created(client)] == ["old"]
