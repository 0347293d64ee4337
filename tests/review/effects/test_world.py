"""The objects of a cluster before or after a change."""

import pytest

from components.base.objects import UNKNOWN, Manifest
from review.effects.world import Key, World, changed, key_of, kind_of, worlds
from tests.review.effects.objects import container, deployment, made, owned, pair


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("v1", "Service"),
        ("apps/v1", "Service"),
        ("gateway.networking.k8s.io/v1", "Service"),
        ("serving.knative.dev/v1", "Service.serving.knative.dev"),
    ],
)
def test_a_kind_has_its_group_unless_it_is_one_of_kubernetes(version: str, kind: str) -> None:
    assert kind_of(made("Service", "s", version=version)) == kind


@pytest.mark.parametrize(
    ("manifest", "key"),
    [
        (made("Service", "s"), Key("Service", "a", "s")),
        (made("Service", "s", None), Key("Service", "default", "s")),
        (made("StorageClass", "s", None), Key("StorageClass", "", "s")),
        (made("ClusterRole", "s", None), Key("ClusterRole", "", "s")),
        (made("Service", UNKNOWN), None),
        ({"kind": "Service", "metadata": {"name": "s", "namespace": UNKNOWN}}, None),
        ({"kind": "Service", "metadata": UNKNOWN}, None),
    ],
)
def test_the_key_of_an_object(manifest: Manifest, key: Key | None) -> None:
    assert key_of(manifest) == key


def test_pods_are_those_of_their_workload() -> None:
    app = deployment(containers=[container(ports=[{"containerPort": 80, "name": "http"}, {"name": "unknown"}])])
    replicas = owned(made("ReplicaSet", "r", version="apps/v1", spec=app["spec"]), "Deployment", "app")
    pod = owned(made("Pod", "p", labels={"app": "app"}, spec={"containers": []}), "ReplicaSet", "r")
    bare = made("Pod", "bare", spec={"containers": []})
    done = {**made("Pod", "done", spec={"containers": []}), "status": {"phase": "Succeeded"}}
    of_operator = owned(made("Pod", "o", spec={"containers": []}), "Cluster", "c", "db.example.com/v1")
    found = World([app, replicas, pod, bare, done, of_operator]).pods
    assert [str(pods.key) for pods in found] == ["Deployment a/app", "Pod a/bare", "Pod a/o"]
    assert found[0].ports == (("TCP", 80, "http"),)


def test_what_a_deleted_object_controls_is_deleted_with_it() -> None:
    app = deployment()
    replicas = owned(made("ReplicaSet", "r", version="apps/v1", spec=app["spec"]), "Deployment", "app")
    pod = owned(made("Pod", "p", spec={"containers": []}), "ReplicaSet", "r")
    _, new = pair([app, replicas, pod], [replicas, pod])
    assert new.objects == {}


def test_what_is_in_a_deleted_namespace_is_deleted_with_it() -> None:
    _, new = pair([made("Namespace", "a", None), deployment()], [deployment()])
    assert new.objects == {}


def test_an_object_that_is_unknown_is_in_neither_world() -> None:
    selector = made("Service", "s", spec={"selector": {"app": UNKNOWN}})
    old, new = worlds([made("Service", "s", spec={"selector": {"app": "x"}})], [selector])
    assert old.objects == new.objects == {}
    assert new.uncertain == {Key("Service", "a", "s")}


def test_changes_leave_out_what_the_api_server_sets() -> None:
    service = made("Service", "s", spec={"type": "ClusterIP"})
    live = {**service, "metadata": {**service["metadata"], "uid": "1"}, "status": {"loadBalancer": {}}}
    assert list(changed(*pair([live], [service]))) == []
    other = {**service, "spec": {"type": "NodePort"}}
    assert [key.name for key, _, _ in changed(*pair([live], [other]))] == ["s"]


def test_namespaces_have_the_label_of_their_name() -> None:
    world = World([made("Namespace", "a", None, labels={"team": "x"}), made("Service", "s", "b")])
    assert world.namespaces == {
        "a": {"team": "x", "kubernetes.io/metadata.name": "a"},
        "b": {"kubernetes.io/metadata.name": "b"},
    }
