"""Objects and data that are gone although no step deletes them."""

from components.base.objects import Manifest
from review.twin.losses import losses
from review.twin.owners import key
from tests.review.twin.fake import pod, with_uid
from tests.review.twin.world import deployment, manifest, namespace, widget, world

NAMESPACE = with_uid(namespace("web"))
OTHER = with_uid(deployment("other", "web", 1))


def found(before: list[Manifest], after: list[Manifest], *deleted: Manifest) -> list[tuple[str, str]]:
    messages = list(losses(before, after, {key(one) for one in deleted}))
    return [(one.code, str(one.values.get("cause") or one.values["target"])) for one in messages]


def test_the_contents_of_a_namespace() -> None:
    generated = manifest("v1", "ConfigMap", "web", "kube-root-ca.crt")
    assert found([NAMESPACE, OTHER, generated], [], NAMESPACE) == [("objects-lost", "deleting Namespace web")]


def test_objects_that_steps_delete_and_those_that_remain() -> None:
    assert found([NAMESPACE, OTHER], [], NAMESPACE, OTHER) == []
    assert found([OTHER], [OTHER]) == []


def test_what_a_controller_creates_is_not_lost() -> None:
    assert found([NAMESPACE, pod("a", owner=OTHER)], [], NAMESPACE) == []


def test_the_objects_of_a_kind() -> None:
    definition = with_uid(world()["definition"])
    assert found([definition, widget()], [], definition) == [
        ("objects-lost", "deleting CustomResourceDefinition widgets.example.com")
    ]


def test_objects_that_are_owned_by_a_deleted_one() -> None:
    owned = manifest("v1", "Secret", "web", "hub")
    owned["metadata"]["ownerReferences"] = [{"uid": OTHER["metadata"]["uid"]}]
    assert found([OTHER, owned], [], OTHER) == [("objects-lost", "deleting Deployment web/other")]


def test_many_objects_are_abbreviated() -> None:
    others = [manifest("v1", "Secret", "web", f"s{index}") for index in range(9)]
    (message,) = losses([NAMESPACE, *others], [], {key(NAMESPACE)})
    assert message.values["objects"] == ", ".join(f"Secret web/s{index}" for index in range(6)) + " and 3 more"


def claim_and_volume(policy: str) -> tuple[Manifest, Manifest]:
    claim = manifest("v1", "PersistentVolumeClaim", "web", "data", spec={"volumeName": "pv"})
    spec = {"persistentVolumeReclaimPolicy": policy, "capacity": {"storage": "10Gi"}}
    return claim, manifest("v1", "PersistentVolume", "", "pv", spec=spec)


def test_the_data_of_a_claim() -> None:
    claim, volume = claim_and_volume("Delete")
    assert found([claim, volume], [volume], claim) == [("data-lost", "PersistentVolumeClaim web/data")]
    claim, volume = claim_and_volume("Retain")
    assert found([claim, volume], [volume], claim) == [("volume-retained", "PersistentVolumeClaim web/data")]
    assert found([claim], [], claim) == []
