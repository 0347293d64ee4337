"""Watches a service ten times a second while something is done to it."""

import http.client
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import yaml

from tests.e2e.project import Project

_EVERY = 0.1


@dataclass
class Seen:
    """What was seen, one entry a look."""

    ready: list[int] = field(default_factory=list)
    """Endpoints that are ready for requests."""

    replicas: list[int] = field(default_factory=list)
    """What the Deployment asks for."""

    images: set[str] = field(default_factory=set)
    """Images of the Deployment's pod template."""

    @property
    def fewest(self) -> int:
        return min(self.ready)


@contextmanager
def watching(project: Project, deployment: str, service: str, namespace: str) -> Iterator[Seen]:
    """Watch while the block runs, and three seconds longer; afterwards, nothing was missed."""
    api = _Api(project)
    slices = (
        f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
        f"?labelSelector=kubernetes.io/service-name%3D{service}"
    )
    seen, done, failed = Seen(), threading.Event(), []

    def look() -> None:
        try:
            while not done.wait(_EVERY):
                endpoints = [e for s in api.get(slices)["items"] for e in s.get("endpoints") or []]
                seen.ready.append(sum(e["conditions"].get("ready", False) for e in endpoints))
                spec = api.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/{deployment}")["spec"]
                seen.replicas.append(spec["replicas"])
                seen.images.add(spec["template"]["spec"]["containers"][0]["image"])
        except BaseException as error:
            failed.append(error)
            raise

    watcher = threading.Thread(target=look)
    started = time.monotonic()
    watcher.start()
    try:
        yield seen
        time.sleep(3)
    finally:
        done.set()
        watcher.join()
        api.close()
    assert not failed, failed
    rate = len(seen.ready) / (time.monotonic() - started)
    assert rate > 4, f"looked {rate:.1f} times a second only"


class _Api:
    """The API server, asked over one connection."""

    def __init__(self, project: Project) -> None:
        config = yaml.safe_load(project.layout.kubeconfig.read_text(encoding="utf-8"))
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        context = ssl.create_default_context(cafile=cluster["certificate-authority"])
        context.load_cert_chain(user["client-certificate"], user["client-key"])
        self._connection = http.client.HTTPSConnection(urlsplit(cluster["server"]).netloc, context=context)

    def close(self) -> None:
        self._connection.close()

    def get(self, path: str) -> Any:
        self._connection.request("GET", path)
        response = self._connection.getresponse()
        content = json.loads(response.read())
        assert response.status == 200, content
        return content
