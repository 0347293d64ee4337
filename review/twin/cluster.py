"""The twin: a disposable cluster with the objects of a snapshot."""

import fcntl
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.base.objects import Manifest
from review import twin_messages as messages
from review.messages import Message
from review.twin import etcd as storage
from review.twin.autoscaler import allocatable, members_of, new_nodes
from review.twin.client import Client
from review.twin.etcd import Etcd
from review.twin.restore import restorable
from review.twin.settle import Baseline, Canary, baseline, settle
from review.twin.snapshot import Snapshot
from review.twin.stages import write_stages
from review.twin.volumes import provisioner
from sandbox import servers, toolchain
from sandbox.cluster import Cluster
from sandbox.layout import Layout

_PREFIX = "twin-"
_LOCK = "lock"
# In seconds; the second one for each object of the cluster.
_SETTLE_TIMEOUT, _SETTLE_TIMEOUT_PER_OBJECT = 30.0, 0.01
# Measured on two idle cores: the prod stack, and 9,000 objects.
_START_TIME, _START_TIME_PER_OBJECT = 5.0, 0.001
# A larger factor would only prolong the trial on a machine that is too slow for it.
_MAX_SLOWNESS = 5.0
# Controllers that act at a time of day: what they do is not an effect of the change.
_DISABLED = ("cronjob-controller", "ttl-after-finished-controller")
# The defaults protect the API server of a production cluster.
_QPS = ("--kube-api-qps=1000", "--kube-api-burst=2000")


@dataclass(frozen=True)
class Twin:
    """A running twin."""

    snapshot: Snapshot
    client: Client
    baseline: Baseline
    """What did not work before the change."""

    notes: tuple[Message, ...]
    """How the twin differs from the cluster."""

    slowness: float
    """How many times longer than on an idle machine it took to start; at least 1."""

    etcd: Etcd
    pools: Mapping[str, Mapping[str, Any]]

    def add_nodes(self) -> int:
        """Add the nodes that the autoscaler of the node pools would add for pods that fit on no node now.

        Returns their number. A node that helps no pod is the last one of its pool. New nodes may not be enough for all
        pods, such as those with anti-affinity: call it again when the scheduler has placed pods, until it returns 0.
        """
        pods, _ = self.client.list("v1", "Pod")
        nodes, _ = self.client.list("v1", "Node")
        added = list(new_nodes(pods, nodes, self.pools))
        for node in added:
            self.client.create(node)
        return len(added)

    def settle(self, quiet: float = 0.4, timeout: float = _SETTLE_TIMEOUT) -> bool:
        """Wait until no object has changed for ``quiet`` seconds; False after ``timeout`` seconds."""
        return settle(self.etcd, quiet=quiet, timeout=timeout)


@contextmanager
def twin(
    snapshot: Snapshot,
    layout: Layout,
    *,
    pools: Mapping[str, Mapping[str, Any]] | None = None,
    objects: Sequence[Manifest] = (),
    prepare: Callable[[Manifest], Manifest] = lambda manifest: manifest,
) -> Iterator[Twin]:
    """Start a twin of a cluster in the sandbox folder of a checkout, and remove it at the end.

    ``pools`` are the node pools of the stack: those with ``autoscaling`` grow. ``objects`` are created in addition to
    those of the snapshot, each of which ``prepare`` may change. Raises SandboxError if it cannot start.

    Enter it in the main thread: the servers are killed when the thread that has started them ends.
    """
    stages = toolchain.install_cluster(layout)
    restored, notes = restorable(snapshot)
    with _folder(layout) as own:
        write_stages(stages, own.root / "stages.yaml")
        began = time.monotonic()
        cluster = Cluster(own, own.root / "stages.yaml", flags=_flags(snapshot), bound=True)
        with _started(cluster) as etcd:
            storage.write(map(prepare, restored), snapshot.resources, etcd)
            cluster.run("kube-apiserver")
            client = Client(own.kubeconfig)
            for one in objects:
                client.create(one)
            canary = Canary(client)
            canary.create()
            cluster.run("kube-controller-manager", "kube-scheduler", "kwok")
            with provisioner(client, snapshot.of_kind("PersistentVolume")):
                timeout = _SETTLE_TIMEOUT + _SETTLE_TIMEOUT_PER_OBJECT * len(restored)
                settled = settle(etcd, timeout=timeout, ready=canary.is_done)
                if not settled:
                    canary.remove()
                    notes.append(messages.TWIN_NOT_SETTLED(timeout=f"{timeout:.0f} s"))
                notes += _assumed(snapshot, pools or {})
                yield Twin(
                    snapshot,
                    client,
                    baseline(client, settled=settled),
                    (*snapshot.notes, *notes),
                    _slowness(time.monotonic() - began, len(restored)),
                    etcd,
                    pools or {},
                )


def _slowness(seconds: float, objects: int) -> float:
    """How much slower this machine is than an idle one, by the time that a twin of so many objects took to start."""
    return min(max(1.0, seconds / (_START_TIME + _START_TIME_PER_OBJECT * objects)), _MAX_SLOWNESS)


@contextmanager
def _started(cluster: Cluster) -> Iterator[Etcd]:
    """A new cluster of which only etcd is running."""
    try:
        cluster.create()
        cluster.run("etcd")
        yield Etcd(**cluster.etcd_client())
    finally:
        cluster.remove()


def _assumed(snapshot: Snapshot, pools: Mapping[str, Mapping[str, Any]]) -> Iterator[Message]:
    """Notes on node pools that may grow, and whose nodes are unknown."""
    nodes = snapshot.of_kind("Node")
    for name, pool in pools.items():
        scaling = pool.get("autoscaling") or {}
        if scaling and not scaling.get("allocatable") and not members_of(pool, nodes):
            resources = ", ".join(f"{key} {value}" for key, value in allocatable(pool, None).items())
            yield messages.NODES_ASSUMED(pool=name, resources=resources)


def _flags(snapshot: Snapshot) -> dict[str, Sequence[str]]:
    flags: dict[str, Sequence[str]] = {
        "etcd": storage.FLAGS,
        "kube-controller-manager": [
            f"--controllers=*,{','.join(f'-{name}' for name in _DISABLED)}",
            # Nodes keep the state that they had. Their heartbeats would be most of the load of a large twin.
            "--node-monitor-grace-period=24h",
            *_QPS,
        ],
        "kube-scheduler": _QPS,
        "kwok": ["--node-lease-duration-seconds=0"],
    }
    ranges = [
        one["spec"]["cidrs"] for one in snapshot.of_kind("ServiceCIDR") if one["metadata"]["name"] == "kubernetes"
    ]
    if ranges:
        flags["kube-apiserver"] = [f"--service-cluster-ip-range={','.join(ranges[0])}"]
    return flags


@contextmanager
def _folder(layout: Layout) -> Iterator[Layout]:
    """A folder for a cluster in that of the sandbox. Those of dead processes are removed first, with their servers.

    A living process holds the lock in its folder; the kernel releases that of a process that is killed.
    """
    layout.home.mkdir(parents=True, exist_ok=True)
    for folder in layout.home.glob(f"{_PREFIX}*"):
        if _is_left_behind(folder):
            _remove(folder)
    own = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=layout.home))
    with (own / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield Layout(layout.project, own.name)
        finally:
            _remove(own)


def _is_left_behind(folder: Path) -> bool:
    try:
        with (folder / _LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except FileNotFoundError:  # it has just been created, or was killed while it was
        return False
    return True


def _remove(folder: Path) -> None:
    servers.stop(folder)
    shutil.rmtree(folder, ignore_errors=True)
