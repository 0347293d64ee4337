"""Watches a service ten times a second while something is done to it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.e2e.api import Api
from tests.e2e.project import Project

_EVERY = 0.1

# What a machine that does other things besides may leave of ten looks a second.
_LEAST = 8


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
    api = Api(project.layout)
    slices = (
        f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
        f"?labelSelector=kubernetes.io/service-name%3D{service}"
    )
    seen, done, failed = Seen(), threading.Event(), []

    def look() -> None:
        try:
            due = time.monotonic()
            while not done.wait(max(0.0, due - time.monotonic())):
                endpoints = [e for s in api.get(slices)["items"] for e in s.get("endpoints") or []]
                seen.ready.append(sum(e["conditions"].get("ready", False) for e in endpoints))
                spec = api.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/{deployment}")["spec"]
                seen.replicas.append(spec["replicas"])
                seen.images.add(spec["template"]["spec"]["containers"][0]["image"])
                # Not a tenth after the answers: that would be less often by as long as they take.
                due = max(due + _EVERY, time.monotonic())
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
    assert rate >= _LEAST, f"looked {rate:.1f} times a second only"
