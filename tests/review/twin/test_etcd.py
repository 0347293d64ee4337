"""The keys and transactions that are written to etcd."""

import base64
import json
from typing import Any

import pytest
import urllib3

from components.base.objects import Manifest
from review.twin import etcd as storage
from review.twin.etcd import Etcd, key_of, write
from sandbox.layout import SandboxError


class Server(Etcd):
    """An etcd that records its requests."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self._answers = list(answers)

    def _post(self, path: str, body: Manifest) -> Manifest:
        self.requests.append((path, body))
        return self._answers.pop(0) if self._answers else {}

    def written(self) -> dict[str, Any]:
        puts = [one["requestPut"] for _, body in self.requests for one in body["success"]]
        return {base64.b64decode(one["key"]).decode(): json.loads(base64.b64decode(one["value"])) for one in puts}


def made(version: str, kind: str, namespace: str = "", name: str = "a") -> Manifest:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": version, "kind": kind, "metadata": metadata}


@pytest.mark.parametrize(
    ("manifest", "resource", "key"),
    [
        (made("v1", "Pod", "ml"), "pods", "/registry/pods/ml/a"),
        (made("v1", "Node"), "nodes", "/registry/minions/a"),
        (made("v1", "Service", "ml"), "services", "/registry/services/specs/ml/a"),
        (made("v1", "Endpoints", "ml"), "endpoints", "/registry/services/endpoints/ml/a"),
        (made("v1", "ReplicationController", "ml"), "replicationcontrollers", "/registry/controllers/ml/a"),
        (made("networking.k8s.io/v1", "Ingress", "ml"), "ingresses", "/registry/ingress/ml/a"),
        (made("apps/v1", "Deployment", "ml"), "deployments", "/registry/deployments/ml/a"),
        (
            made("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
            "customresourcedefinitions",
            "/registry/apiextensions.k8s.io/customresourcedefinitions/a",
        ),
    ],
)
def test_keys_of_built_in_kinds(manifest: Manifest, resource: str, key: str) -> None:
    assert key_of(manifest, resource, custom=False) == key


def test_keys_of_custom_resources() -> None:
    """They are those of a definition, whatever their group: that of the Gateway API ends like a built-in one."""
    spec = {"group": "gateway.networking.k8s.io", "names": {"plural": "httproutes"}}
    definition = {**made("apiextensions.k8s.io/v1", "CustomResourceDefinition"), "spec": spec}
    route = made("gateway.networking.k8s.io/v1", "HTTPRoute", "ml")
    resources = {
        "apiextensions.k8s.io/v1/CustomResourceDefinition": "customresourcedefinitions",
        "gateway.networking.k8s.io/v1/HTTPRoute": "httproutes",
    }
    server = Server()
    write([route, definition], resources, server)
    assert server.written() == {
        "/registry/gateway.networking.k8s.io/httproutes/ml/a": route,
        "/registry/apiextensions.k8s.io/customresourcedefinitions/a": definition,
    }


def test_objects_are_written_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "_MAX_OBJECTS", 3)
    monkeypatch.setattr(storage, "_MAX_BYTES", 1000)
    objects = [made("v1", "Pod", "ml", str(number)) for number in range(8)]
    objects[1]["data"] = "x" * 2000
    server = Server()
    write(objects, {"v1/Pod": "pods"}, server)
    assert sorted(len(body["success"]) for _, body in server.requests) == [1, 1, 3, 3]
    assert len(server.written()) == 8
    empty = Server()
    write([], {}, empty)
    assert empty.requests == []


def test_the_revision_and_the_keys_that_have_changed() -> None:
    kvs = [{"key": base64.b64encode(b"/registry/pods/ml/a").decode()}]
    server = Server({"header": {"revision": "7"}}, {"kvs": kvs}, {})
    assert server.revision() == 7
    assert server.changed(5) == {"/registry/pods/ml/a"}
    assert server.changed(6) == set()
    _, (_, query), _ = server.requests
    assert (query["keysOnly"], query["minModRevision"]) == (True, 6)


def test_an_error_has_the_message_of_etcd(monkeypatch: pytest.MonkeyPatch) -> None:
    class Pool:
        def __init__(self, **_: Any) -> None:
            pass

        def request(self, method: str, url: str, body: bytes) -> Any:
            assert (method, url, json.loads(body)["success"]) == ("POST", "https://etcd/v3/kv/txn", [])
            content = answers.pop(0)
            return urllib3.HTTPResponse(json.dumps(content).encode(), status=400 if content else 200)

    answers: list[dict[str, str]] = [{"message": "too many operations"}, {}]
    monkeypatch.setattr(urllib3, "PoolManager", Pool)
    etcd = Etcd("https://etcd", "ca", "crt", "key")
    with pytest.raises(SandboxError, match="etcd: too many operations"):
        etcd.put([])
    etcd.put([])
