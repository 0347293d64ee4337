"""A client of the API server, as the administrator or impersonating another user."""

import json
import ssl
from collections.abc import Sequence
from http.client import HTTPSConnection
from typing import Any

import yaml

from sandbox.layout import Layout

Object = dict[str, Any]


class Api:
    """A client with one connection that is kept open, so that thousands of requests take seconds."""

    def __init__(self, layout: Layout) -> None:
        config = yaml.safe_load(layout.kubeconfig.read_text(encoding="utf-8"))
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        context = ssl.create_default_context(cafile=cluster["certificate-authority"])
        context.load_cert_chain(user["client-certificate"], user["client-key"])
        host, port = cluster["server"].removeprefix("https://").rsplit(":", 1)
        self._connection = HTTPSConnection(host, int(port), context=context, timeout=30)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def request(
        self, method: str, path: str, body: Object | None = None, *, user: str = "", groups: Sequence[str] = ()
    ) -> tuple[int, Object]:
        """The status and the body of the response. A user in these groups is impersonated if one is given."""
        content = json.dumps(body).encode() if body is not None else b""
        self._connection.putrequest(method, path)
        content_type = "application/merge-patch+json" if method == "PATCH" else "application/json"
        for name, value in (("Content-Type", content_type), ("Content-Length", str(len(content)))):
            self._connection.putheader(name, value)
        if user:
            self._connection.putheader("Impersonate-User", user)
            for group in (*groups, "system:authenticated"):
                self._connection.putheader("Impersonate-Group", group)
        self._connection.endheaders(content)
        response = self._connection.getresponse()
        text = response.read()
        try:
            return response.status, json.loads(text)
        except json.JSONDecodeError:
            return response.status, {"message": text.decode(errors="replace")}

    def create(self, path: str, body: Object) -> Object:
        """Create an object as the administrator, which must succeed."""
        status, created = self.request("POST", path, body)
        assert status == 201, created.get("message")
        return created

    def dry_run(self, manifest: Object) -> Object:
        """The object that the API server would store. An unknown field is an error."""
        version, kind = manifest["apiVersion"], manifest["kind"].lower()
        plural = f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}es" if kind.endswith("s") else f"{kind}s"
        root = "/apis" if "/" in version else "/api"
        path = f"{root}/{version}/namespaces/{manifest['metadata']['namespace']}/{plural}"
        return self.create(f"{path}?dryRun=All&fieldValidation=Strict", manifest)

    def get(self, path: str) -> Object:
        """The object or list at a path, which must exist."""
        status, found = self.request("GET", path)
        assert status == 200, found.get("message")
        return found


def pod(name: str, **spec: Any) -> Object:
    """A pod that Pod Security restricted admits, with minimal resources, which is never scheduled."""
    container = {
        "name": "c",
        "image": "ghcr.io/acme/a:v1",
        "resources": {"requests": {"cpu": "10m", "memory": "1Mi"}, "limits": {"cpu": "10m", "memory": "1Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "containers": [container],
            "schedulerName": "none",
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            **spec,
        },
    }


TEMPLATE: Object = {"metadata": {"labels": {"app": "x"}}, "spec": pod("x")["spec"]}


def deployment(name: str) -> Object:
    """A Deployment of such pods with no replicas."""
    spec = {"replicas": 0, "selector": {"matchLabels": {"app": "x"}}, "template": TEMPLATE}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}
