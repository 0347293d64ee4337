"""The objects of a snapshot as a twin has them."""

from typing import Any

import pytest

from components.base.objects import Manifest
from review.messages import Message
from review.twin.restore import FAKE_NODE, HELD, minor, restorable
from review.twin.snapshot import Snapshot
from sandbox.layout import KUBERNETES_VERSION

OWN = f"v{KUBERNETES_VERSION}"


def made(kind: str, version: str = "v1", *, spec: Any = None, status: Any = None, **metadata: Any) -> Manifest:
    fields = {"spec": spec, "status": status}
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": kind.lower(), "uid": kind, **metadata},
        **{name: value for name, value in fields.items() if value is not None},
    }


def restored(*objects: Manifest, version: str = OWN) -> tuple[list[Manifest], list[Message]]:
    return restorable(Snapshot(tuple(objects), version, {}))


def only(*objects: Manifest) -> Manifest:
    """The last one of the objects, restored."""
    return restored(*objects)[0][-1]


def test_an_object_is_the_same_but_for_its_resource_version() -> None:
    fields: dict[str, Any] = {"managedFields": [{"manager": "pulumi"}], "generation": 3, "creationTimestamp": "x"}
    pod = made("Pod", spec={"nodeName": "a"}, status={"phase": "Running"}, resourceVersion="7", **fields)
    found, notes = restored(pod)
    assert found == [made("Pod", spec={"nodeName": "a"}, status={"phase": "Running"}, **fields)]
    assert notes == []
    assert pod["metadata"]["resourceVersion"] == "7"


def test_owners_that_were_not_read_are_left_out() -> None:
    known, unknown = {"kind": "ReplicaSet", "uid": "ReplicaSet"}, {"kind": "Widget", "uid": "other"}
    owner = made("ReplicaSet", "apps/v1")
    assert only(owner, made("Pod", spec={}, ownerReferences=[known, unknown]))["metadata"]["ownerReferences"] == [known]
    assert "ownerReferences" not in only(made("Pod", spec={}, ownerReferences=[unknown]))["metadata"]


@pytest.mark.parametrize(
    "finalizer",
    [
        "kubernetes.io/pvc-protection",
        "kubernetes.io/pv-protection",
        "batch.kubernetes.io/job-tracking",
        "foregroundDeletion",
        "orphan",
        "resource.kubernetes.io/delete-protection",
        "customresourcecleanup.apiextensions.k8s.io",
    ],
)
def test_finalizers_of_kubernetes_are_kept(finalizer: str) -> None:
    found, notes = restored(made("Pod", spec={}, finalizers=[finalizer]))
    assert (found[0]["metadata"]["finalizers"], notes) == ([finalizer], [])


@pytest.mark.parametrize("finalizer", ["service.kubernetes.io/load-balancer-cleanup", "example.com/cleanup"])
def test_other_finalizers_would_block_deletions(finalizer: str) -> None:
    found, notes = restored(made("Service", finalizers=[finalizer]))
    assert "finalizers" not in found[0]["metadata"]
    assert [(note.code, note.values["finalizers"]) for note in notes] == [("finalizers-not-copied", finalizer)]


def test_an_object_that_is_being_deleted_goes_on_waiting() -> None:
    namespace = made("Namespace", deletionTimestamp="x", finalizers=["example.com/cleanup"])
    found, notes = restored(namespace)
    assert found == [namespace]
    assert [note.code for note in notes] == ["finalizers-not-copied", "namespaces-terminating"]
    assert notes[1].values["namespaces"] == "Namespace namespace"


@pytest.mark.parametrize(("status", "annotations"), [("True", {FAKE_NODE: "fake"}), ("False", None), ("Unknown", None)])
def test_kwok_manages_the_nodes_that_are_ready(status: str, annotations: Any) -> None:
    node = made("Node", spec={}, status={"conditions": [{"type": "Ready", "status": status}]})
    assert only(node)["metadata"].get("annotations") == annotations


@pytest.mark.parametrize(
    ("phase", "node", "is_held"),
    [("Pending", "a", True), ("Pending", "", False), ("Running", "a", False), ("Failed", "a", False)],
)
def test_pods_that_were_not_ready_on_their_node_stay_so(phase: str, node: str, is_held: bool) -> None:
    pod = made("Pod", spec={"nodeName": node}, status={"phase": phase}, annotations={"a": "b"})
    assert only(pod)["metadata"]["annotations"] == {"a": "b", **({HELD: "fake"} if is_held else {})}


@pytest.mark.parametrize("kind", ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"])
def test_webhooks_are_noted_with_what_they_are_called_for(kind: str) -> None:
    rules = [{"resources": ["pods", "pods/status"]}, {"resources": ["pods"]}]
    hooks = {**made(kind), "webhooks": [{"name": "b.example.com", "rules": rules}, {"name": "a.example.com"}]}
    found, notes = restored(hooks)
    assert found == []
    assert [(note.code, note.values["webhooks"]) for note in notes] == [
        ("webhooks-not-called", "a.example.com (); b.example.com (pods, pods/status)")
    ]
    assert restored({**made(kind), "webhooks": None}) == ([], [])


def test_other_api_servers_are_left_out() -> None:
    assert restored(made("APIService", "apiregistration.k8s.io/v1", spec={"service": {"name": "a"}})) == ([], [])


def test_conversion_webhooks_are_not_called() -> None:
    spec = {"group": "example.com", "names": {"kind": "Widget"}, "conversion": {"strategy": "Webhook", "webhook": {}}}
    definition = made("CustomResourceDefinition", "apiextensions.k8s.io/v1", spec=spec)
    found, notes = restored(definition)
    assert found[0]["spec"]["conversion"] == {"strategy": "None"}
    assert [(note.code, note.values["kinds"]) for note in notes] == [("conversion-not-called", "Widget")]


def test_another_version_of_kubernetes_has_other_pre_release_apis() -> None:
    spec = {"group": "gateway.networking.k8s.io", "names": {"kind": "TCPRoute"}}
    objects = (
        made("CustomResourceDefinition", "apiextensions.k8s.io/v1", spec=spec),
        made("TCPRoute", "gateway.networking.k8s.io/v1alpha2"),
        made("ResourceSlice", "resource.k8s.io/v1beta1"),
        made("Deployment", "apps/v1"),
    )
    found, notes = restored(*objects, version="v1.31.4-gke.100")
    assert [one["kind"] for one in found] == ["CustomResourceDefinition", "TCPRoute", "Deployment"]
    assert [note.code for note in notes] == ["version-differs", "kinds-not-copied"]
    assert (notes[0].values["version"], notes[1].values["kinds"]) == ("v1.31.4-gke.100", "ResourceSlice")
    assert len(restored(*objects)[0]) == 4


@pytest.mark.parametrize(
    ("version", "expected"), [("v1.37.2", "1.37"), ("1.36.0+k3s1", "1.36"), ("unknown", "unknown")]
)
def test_the_minor_version(version: str, expected: str) -> None:
    assert minor(version) == expected
