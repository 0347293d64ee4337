"""A client of the twin's API server. It changes objects, and must never be given the live cluster."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3
import yaml

from components.base.objects import Manifest

DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
"""The media type in which the API server lists all kinds of all groups."""
_JSON, _MERGE, _APPLY = "application/json", "application/merge-patch+json", "application/apply-patch+yaml"
# Seconds for one request.
_TIMEOUT = 30.0
_CONNECTIONS = 32


class ApiError(Exception):
    """The API server rejected a request. The text is its message."""

    def __init__(self, status: int, message: str, details: Manifest | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.details = details or {}
        """The status object of the response."""


@dataclass(frozen=True)
class Resource:
    """A kind that the API server serves."""

    version: str
    kind: str
    name: str
    """The name in paths: ``deployments``."""

    namespaced: bool
    verbs: frozenset[str]
    subresources: frozenset[str]

    def path(self, namespace: str = "", name: str = "") -> str:
        """The path of an object, or of all objects of a namespace or of the cluster."""
        root = f"/apis/{self.version}" if "/" in self.version else f"/api/{self.version}"
        scope = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{root}{scope}/{self.name}" + (f"/{name}" if name else "")


class Client:
    """A client with a pool of connections, which threads may share."""

    def __init__(self, kubeconfig: Path) -> None:
        config = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self._server: str = cluster["server"]
        self._pool = urllib3.PoolManager(
            ca_certs=cluster["certificate-authority"],
            cert_file=user["client-certificate"],
            key_file=user["client-key"],
            maxsize=_CONNECTIONS,
            timeout=_TIMEOUT,
            retries=False,
        )
        self._resources: dict[tuple[str, str], Resource] = {}

    def resources(self, *, refresh: bool = False) -> Mapping[tuple[str, str], Resource]:
        """All kinds that the API server serves, by API version and kind."""
        if refresh or not self._resources:
            self._resources = {
                (found.version, found.kind): found
                for path in ("/api", "/apis")
                for found in discovered(self.request("GET", path, accept=DISCOVERY))
            }
        return self._resources

    def resource(self, version: str, kind: str) -> Resource:
        """The resource of a kind; a kind that is not known is looked up again. Raises ApiError if it is not served."""
        found = self.resources().get((version, kind)) or self.resources(refresh=True).get((version, kind))
        if found is None:
            raise ApiError(404, f'no matches for kind "{kind}" in version "{version}"')
        return found

    def path(self, manifest: Manifest) -> str:
        """The path of an object. Raises ApiError if its kind is not served."""
        metadata = manifest["metadata"]
        found = self.resource(manifest["apiVersion"], manifest["kind"])
        return found.path(metadata.get("namespace") or "default", metadata["name"])

    def get(self, manifest: Manifest) -> Manifest | None:
        """The current version of an object; None if it does not exist."""
        try:
            content: Manifest = self.request("GET", self.path(manifest))
        except ApiError as error:
            if error.status == 404:
                return None
            raise
        return content

    def list(self, version: str, kind: str, namespace: str = "") -> tuple[list[Manifest], str]:
        """All objects of a kind with their kind and API version, and the resource version of the list."""
        content = self.request("GET", self.resource(version, kind).path(namespace))
        items = [{"apiVersion": version, "kind": kind, **item} for item in content["items"]]
        return items, content["metadata"].get("resourceVersion", "")

    def create(self, manifest: Manifest, *, dry_run: bool = False) -> Manifest:
        """Create an object, whose name may be generated."""
        found = self.resource(manifest["apiVersion"], manifest["kind"])
        path = found.path(manifest["metadata"].get("namespace") or "default")
        content: Manifest = self.request("POST", path, manifest, dryRun="All" if dry_run else "")
        return content

    def apply(self, manifest: Manifest, manager: str, *, force: bool = False, dry_run: bool = False) -> Manifest:
        """Apply an object with server-side apply."""
        query = {"fieldManager": manager, "force": str(force).lower(), "dryRun": "All" if dry_run else ""}
        content: Manifest = self.request("PATCH", self.path(manifest), manifest, content_type=_APPLY, **query)
        return content

    def patch(self, manifest: Manifest, patch: Manifest, subresource: str = "") -> Manifest:
        """Change an object with a JSON merge patch."""
        path = self.path(manifest) + (f"/{subresource}" if subresource else "")
        content: Manifest = self.request("PATCH", path, patch, content_type=_MERGE)
        return content

    def delete(self, manifest: Manifest, propagation: str = "Background") -> None:
        """Delete an object; it may stay until its finalizers are removed."""
        self.request("DELETE", self.path(manifest), {"propagationPolicy": propagation})

    def evict(self, pod: Manifest, *, dry_run: bool = False) -> None:
        """Evict a pod. Raises ApiError with status 429 if a disruption budget does not allow it."""
        metadata = {key: pod["metadata"][key] for key in ("name", "namespace")}
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata}
        self.request("POST", f"{self.path(pod)}/eviction", body, dryRun="All" if dry_run else "")

    def request(
        self, method: str, path: str, body: Manifest | None = None, *, content_type: str = _JSON, accept: str = _JSON,
        **query: str,
    ) -> Any:  # fmt: skip
        """The body of a response. Raises ApiError."""
        headers = {"Accept": accept} | ({"Content-Type": content_type} if body is not None else {})
        data = None if body is None else json.dumps(body).encode()
        response = self._pool.request(method, self._url(path, query), body=data, headers=headers)
        content = json.loads(response.data) if response.data.startswith(b"{") else {}
        if response.status >= 400:
            text = content.get("message") or response.data.decode("utf-8", "replace").strip()
            raise ApiError(response.status, " ".join(text.split()), content)
        return content

    def watch(self, version: str, kind: str, since: str) -> "Watch":
        """The changes of all objects of a kind since a resource version."""
        query = {"watch": "1", "resourceVersion": since}
        url = self._url(self.resource(version, kind).path(), query)
        timeout = urllib3.Timeout(connect=_TIMEOUT, read=None)
        return Watch(self._pool.request("GET", url, preload_content=False, timeout=timeout))

    def _url(self, path: str, query: Mapping[str, str]) -> str:
        parameters = urlencode({key: value for key, value in query.items() if value})
        return f"{self._server}{path}" + (f"?{parameters}" if parameters else "")


class Watch:
    """A stream of changes. Another thread may stop it."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = response

    def __iter__(self) -> Iterator[tuple[str, Manifest]]:
        """The type of each change (ADDED, MODIFIED, DELETED) and the object."""
        rest = b""
        with closing(self._response):
            try:
                for chunk in self._response.stream(amt=1 << 16):
                    *lines, rest = (rest + chunk).split(b"\n")
                    for line in lines:
                        change = json.loads(line)
                        yield change["type"], change["object"]
            except (urllib3.exceptions.HTTPError, OSError):  # stopped
                return

    def stop(self) -> None:
        """End the stream, unless it has ended."""
        with suppress(ValueError):
            self._response.shutdown()


def discovered(groups: Manifest) -> Iterator[Resource]:
    """The resources in a discovery document: of each group, those of the preferred version first."""
    for group in groups["items"]:
        for version in group["versions"]:
            name = group["metadata"].get("name", "")
            # A version has none while its server does not answer.
            for resource in version.get("resources") or ():
                if "responseKind" in resource:
                    yield Resource(
                        f"{name}/{version['version']}" if name else version["version"],
                        resource["responseKind"]["kind"],
                        resource["resource"],
                        resource["scope"] == "Namespaced",
                        frozenset(resource["verbs"]),
                        frozenset(one["subresource"] for one in resource.get("subresources", ())),
                    )
