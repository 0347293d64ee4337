"""Requests to the API server and its responses."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
import urllib3
import yaml

from review.twin.client import ApiError, Client, Watch
from tests.review.twin.fake import pod
from tests.review.twin.world import deployment, manifest

RESOURCES: dict[str, list[tuple[str, str, str, str, str, list[str]]]] = {
    "/api": [
        ("", "v1", "pods", "Pod", "Namespaced", ["eviction"]),
        ("", "v1", "namespaces", "Namespace", "Cluster", []),
    ],
    "/apis": [("apps", "v1", "deployments", "Deployment", "Namespaced", [])],
}


class Pool:
    """Responses by method and path."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, Any, str]] = []
        self.responses: dict[tuple[str, str], tuple[int, Any]] = {
            ("GET", path): (200, {"items": [_group(*one) for one in found]}) for path, found in RESOURCES.items()
        }

    def request(self, method: str, url: str, body: bytes | None = None, **options: Any) -> urllib3.HTTPResponse:
        path = url.removeprefix("https://127.0.0.1:1").partition("?")[0]
        headers = options.get("headers", {})
        content = json.loads(body) if body else None
        self.requests.append(
            (method, url.removeprefix("https://127.0.0.1:1"), content, headers.get("Content-Type", ""))
        )
        status, content = self.responses.get((method, path), (200, {}))
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        return urllib3.HTTPResponse(body=data, status=status)


def _group(group: str, version: str, name: str, kind: str, scope: str, subresources: list[str]) -> dict[str, Any]:
    resource = {
        "resource": name,
        "responseKind": {"kind": kind},
        "scope": scope,
        "verbs": ["list"],
        "subresources": [{"subresource": one} for one in subresources],
    }
    virtual = {"resource": "virtual", "scope": scope, "verbs": []}
    return {"metadata": {"name": group}, "versions": [{"version": version, "resources": [resource, virtual]}]}


@pytest.fixture
def pool() -> Pool:
    return Pool()


@pytest.fixture
def client(tmp_path: Path, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> Client:
    kubeconfig = tmp_path / "kubeconfig"
    cluster = {"server": "https://127.0.0.1:1", "certificate-authority": "ca"}
    content = {"clusters": [{"cluster": cluster}], "users": [{"user": {"client-certificate": "c", "client-key": "k"}}]}
    kubeconfig.write_text(yaml.safe_dump(content), encoding="utf-8")
    made = Client(kubeconfig)
    monkeypatch.setattr(made, "_pool", pool)
    return made


WEB = deployment("web", "web", 1)
PATH = "/apis/apps/v1/namespaces/web/deployments/web"


def test_resources(client: Client) -> None:
    found = client.resource("v1", "Pod")
    assert (found.name, found.namespaced, found.verbs, found.subresources) == (
        "pods",
        True,
        frozenset({"list"}),
        frozenset({"eviction"}),
    )
    assert client.path(manifest("v1", "Namespace", "", "a")) == "/api/v1/namespaces/a"
    assert client.path({**WEB, "metadata": {"name": "a"}}) == "/apis/apps/v1/namespaces/default/deployments/a"
    with pytest.raises(ApiError, match='no matches for kind "Widget"'):
        client.path({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "a"}})


def test_writing(client: Client, pool: Pool) -> None:
    client.resources()
    pool.requests.clear()
    client.create(WEB, dry_run=True)
    client.apply(WEB, "me", force=True)
    client.patch(WEB, {"a": 1}, "status")
    client.delete(WEB, "Foreground")
    client.evict(pod("a"), dry_run=True)
    assert [(method, url, kind) for method, url, _, kind in pool.requests] == [
        ("POST", "/apis/apps/v1/namespaces/web/deployments?dryRun=All", "application/json"),
        ("PATCH", f"{PATH}?fieldManager=me&force=true", "application/apply-patch+yaml"),
        ("PATCH", f"{PATH}/status", "application/merge-patch+json"),
        ("DELETE", PATH, "application/json"),
        ("POST", "/api/v1/namespaces/web/pods/a/eviction?dryRun=All", "application/json"),
    ]
    assert pool.requests[3][2] == {"propagationPolicy": "Foreground"}


def test_reading(client: Client, pool: Pool) -> None:
    pool.responses["GET", "/api/v1/pods"] = (200, {"metadata": {"resourceVersion": "7"}, "items": [{"a": 1}]})
    assert client.list("v1", "Pod") == ([{"apiVersion": "v1", "kind": "Pod", "a": 1}], "7")
    pool.responses["GET", PATH] = (200, {"b": 1})
    assert client.get(WEB) == {"b": 1}
    pool.responses["GET", PATH] = (404, {"message": "not found"})
    assert client.get(WEB) is None
    pool.responses["GET", PATH] = (500, b"down\nfor now")
    with pytest.raises(ApiError, match="down for now") as raised:
        client.get(WEB)
    assert raised.value.status == 500


def test_watching(client: Client, pool: Pool) -> None:
    lines = b'{"type":"ADDED","object":{"a":1}}\n{"type":"DELETED","object":{"a":2}}\n'
    pool.responses["GET", "/api/v1/pods"] = (200, lines)
    assert pool.request("GET", "https://127.0.0.1:1/api/v1/pods").data == lines
    changes = list(Watch(urllib3.HTTPResponse(body=io.BytesIO(lines), preload_content=False)))
    assert changes == [("ADDED", {"a": 1}), ("DELETED", {"a": 2})]
    watch = client.watch("v1", "Pod", "7")
    assert isinstance(watch, Watch)
    watch.stop()  # the API server has ended it
    assert pool.requests[-1][1] == "/api/v1/pods?watch=1&resourceVersion=7"
