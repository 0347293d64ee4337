"""The time that a twin of a large cluster takes."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from review.cluster.kubectl import Cluster
from review.twin.cluster import twin
from review.twin.snapshot import Snapshot, take, without_garbage_collection
from sandbox import servers
from tests.e2e.project import Project
from tests.review.twin.large import large

NODES, PODS = 500, 5000
# In seconds, several times as much as on an idle machine with two cores.
BOUND = 300


@pytest.mark.long
@without_garbage_collection()
def test_a_cluster_of_500_nodes_and_5000_pods(project: Project, record_property: Callable[[str, object], None]) -> None:
    """A twin stands in for the large cluster, of which another one is made."""
    project.stack("prod").up()
    seconds: dict[str, float] = {}

    @contextmanager
    def timed(phase: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        seconds[phase] = time.monotonic() - began

    with timed("snapshot, prod stack"):
        small = take(Cluster(kubeconfig=project.layout.kubeconfig))
    began = time.monotonic()
    with twin(small, project.layout) as running:
        seconds["twin settled, prod stack"] = time.monotonic() - began
        assert running.baseline.settled
    with twin(large(small, NODES, PODS), project.layout) as running:
        (folder,) = (one for one in project.layout.home.glob("twin-*") if servers.running(one))
        with timed("snapshot, large"):
            found = take(Cluster(kubeconfig=folder / "kubeconfig"))
    began = time.monotonic()
    with twin(found, project.layout) as running:
        seconds["twin settled, large"] = time.monotonic() - began
        assert running.baseline.settled
        assert broken(found) == {name for _, _, _, name in running.baseline.broken} == set()
    rows = [f"{len(small.objects)} objects, large: {len(found.objects)}"]
    record_property("table", "\n".join([*rows, *(f"{phase:26} {value:6.1f} s" for phase, value in seconds.items())]))
    assert len(found.of_kind("Pod")) >= PODS
    assert sum(seconds.values()) < BOUND


def broken(found: Snapshot) -> set[str]:
    """The pods that are neither running nor completed."""
    return {
        one["metadata"]["name"]
        for one in found.of_kind("Pod")
        if one["status"]["phase"] not in {"Running", "Succeeded"}
    }
