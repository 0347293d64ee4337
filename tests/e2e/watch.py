"""Polls a service ten times a second while it is changed."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.e2e.api import Api
from tests.e2e.project import Project

_INTERVAL = 0.1

# Of ten polls a second, as many as a busy machine must still complete.
_MIN_RATE = 8


@dataclass
class Observed:
    """What was observed, with one entry per poll."""

    ready: list[int] = field(default_factory=list)
    """The number of endpoints that are ready."""

    replicas: list[int] = field(default_factory=list)
    """The Deployment's ``spec.replicas``."""

    images: set[str] = field(default_factory=set)
    """The images of the Deployment's pod template."""

    @property
    def min_ready(self) -> int:
        return min(self.ready)


@contextmanager
def watching(project: Project, deployment: str, service: str, namespace: str) -> Iterator[Observed]:
    """Poll while the block runs, and for three seconds after it."""
    api = Api(project.layout)
    slices = (
        f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
        f"?labelSelector=kubernetes.io/service-name%3D{service}"
    )
    observed, done, errors = Observed(), threading.Event(), []

    def poll() -> None:
        try:
            due = time.monotonic()
            while not done.wait(max(0.0, due - time.monotonic())):
                endpoints = [e for s in api.get(slices)["items"] for e in s.get("endpoints") or []]
                observed.ready.append(sum(e["conditions"].get("ready", False) for e in endpoints))
                spec = api.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/{deployment}")["spec"]
                observed.replicas.append(spec["replicas"])
                observed.images.add(spec["template"]["spec"]["containers"][0]["image"])
                # Counted from the last poll's start: counted from its end, the interval would grow by its duration.
                due = max(due + _INTERVAL, time.monotonic())
        except BaseException as error:
            errors.append(error)
            raise

    watcher = threading.Thread(target=poll)
    started = time.monotonic()
    watcher.start()
    try:
        yield observed
        time.sleep(3)
    finally:
        done.set()
        watcher.join()
        api.close()
    assert not errors, errors
    rate = len(observed.ready) / (time.monotonic() - started)
    assert rate >= _MIN_RATE, f"only {rate:.1f} polls a second"
