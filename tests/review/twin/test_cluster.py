"""The life of a twin, with a cluster in memory."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.base.objects import Manifest
from review.twin import cluster as module
from review.twin import etcd as storage
from review.twin.cluster import Twin, twin
from review.twin.settle import Baseline, Canary
from review.twin.snapshot import Snapshot
from sandbox import toolchain
from sandbox.layout import KUBERNETES_VERSION, Layout, SandboxError
from tests.review.twin.fake import FakeClient, unscheduled, with_uid

EVENTS: list[Any] = []
"""What happened, in order."""

NODE_POOL: dict[str, Any] = {
    "nodeSelector": {"pool": "zero"},
    "tolerations": [],
    "gpuResource": None,
    "autoscaling": {"max": 2, "allocatable": {}},
}


class FakeCluster:
    """Records which servers are started, with which flags."""

    def __init__(self, layout: Layout, stages: Path, *, flags: dict[str, Sequence[str]], bound: bool) -> None:
        assert bound
        assert layout.name.startswith("twin-")
        assert stages.exists()
        EVENTS.append(flags)

    def create(self) -> None:
        EVENTS.append("create")

    def run(self, *names: str) -> None:
        EVENTS.append(names)

    def etcd_client(self) -> dict[str, str]:
        return {"url": "https://etcd", "authority": "ca", "certificate": "crt", "private_key": "key"}

    def remove(self) -> None:
        EVENTS.append("remove")


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeClient:
    EVENTS.clear()
    client = FakeClient()
    stages = tmp_path / "stages.yaml"
    stages.write_text(yaml.safe_dump_all([]), encoding="utf-8")

    def write(objects: Any, resources: Any, etcd: Any) -> None:
        EVENTS.append(("written", [one["metadata"]["name"] for one in objects]))

    def settle(etcd: Any, *, ready: Callable[[], bool], **_: Any) -> bool:
        assert isinstance(ready.__self__, Canary)  # type: ignore[attr-defined]
        EVENTS.append("settled")
        return True

    monkeypatch.setattr(toolchain, "install_cluster", lambda _: stages)
    monkeypatch.setattr(module, "Cluster", FakeCluster)
    monkeypatch.setattr(module, "Client", lambda _: client)
    monkeypatch.setattr(module, "Etcd", lambda **_: None)
    monkeypatch.setattr(storage, "write", write)
    monkeypatch.setattr(module, "settle", settle)
    return client


def made(kind: str, name: str, version: str = "v1", **fields: Any) -> Manifest:
    return with_uid({"apiVersion": version, "kind": kind, "metadata": {"name": name}, **fields})


def snapshot(*objects: Manifest) -> Snapshot:
    return Snapshot(tuple(objects), f"v{KUBERNETES_VERSION}", {})


def test_objects_are_restored_before_any_controller_starts(client: FakeClient, tmp_path: Path) -> None:
    policy = made("ConfigMap", "policy")

    def prepare(manifest: Manifest) -> Manifest:
        return {**manifest, "metadata": {"name": "prepared"}}

    with twin(snapshot(made("Namespace", "ml")), Layout(tmp_path), objects=[policy], prepare=prepare) as running:
        assert running.client is client
        assert running.baseline.settled
        EVENTS.append("yielded")
    assert EVENTS[1:] == [
        "create",
        ("etcd",),
        ("written", ["prepared"]),
        ("kube-apiserver",),
        ("kube-controller-manager", "kube-scheduler", "kwok"),
        "settled",
        "yielded",
        "remove",
    ]
    assert client.changes() == [("create", "ConfigMap", "policy"), ("create", "Deployment", "twin-canary")]


def test_flags_depend_on_the_cluster(client: FakeClient, tmp_path: Path) -> None:
    cidrs = [
        made("ServiceCIDR", name, "networking.k8s.io/v1", spec={"cidrs": cidrs})
        for name, cidrs in {"other": ["10.9.0.0/16"], "kubernetes": ["172.20.0.0/16", "fd00::/108"]}.items()
    ]
    with twin(snapshot(*cidrs), Layout(tmp_path)):
        pass
    flags = EVENTS[0]
    assert flags["kube-apiserver"] == ["--service-cluster-ip-range=172.20.0.0/16,fd00::/108"]
    assert any("-cronjob-controller" in flag for flag in flags["kube-controller-manager"])
    with twin(snapshot(), Layout(tmp_path)):
        pass
    assert "kube-apiserver" not in EVENTS[EVENTS.index("remove") + 1]


def test_the_cluster_is_removed_after_an_error(client: FakeClient, tmp_path: Path) -> None:
    with pytest.raises(SandboxError), twin(snapshot(), Layout(tmp_path)):
        raise SandboxError("broken")
    assert EVENTS[-1] == "remove"
    assert list((tmp_path / ".sandbox").glob("twin-*")) == []


def test_notes_on_what_differs(client: FakeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "settle", lambda *_, **__: False)
    pools = {
        "zero": NODE_POOL,
        "stated": {**NODE_POOL, "autoscaling": {"max": 1, "allocatable": {"cpu": "1"}}},
        "fixed": {**NODE_POOL, "autoscaling": None},
    }
    found = Snapshot((), "v1.30.0", {}, {"secrets": ""})
    with twin(found, Layout(tmp_path), pools=pools) as running:
        notes = running.notes
        assert not running.baseline.settled
    assert [note.code for note in notes] == [
        "secrets-not-copied",
        "version-differs",
        "twin-not-settled",
        "nodes-assumed",
    ]
    assert notes[-1].values["pool"] == "zero"


def test_nodes_are_added(client: FakeClient, tmp_path: Path) -> None:
    with twin(snapshot(), Layout(tmp_path), pools={"zero": NODE_POOL}) as running:
        assert running.add_nodes() == 0
        waiting = unscheduled("a", "no node", made("Deployment", "a", "apps/v1"))
        waiting["spec"] = {"nodeSelector": {"pool": "zero"}, "containers": []}
        client.put(waiting)
        assert running.add_nodes() == 1
        assert running.add_nodes() == 0
    assert [one["metadata"]["name"] for one in client.objects.values() if one["kind"] == "Node"] == ["zero-twin-1"]


def test_a_twin_can_be_settled_again(client: FakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []

    def settle(etcd: Any, **limits: float) -> bool:
        calls.append((etcd, limits))
        return True

    monkeypatch.setattr(module, "settle", settle)
    etcd: Any = "etcd"
    running = Twin(snapshot(), client, Baseline(), (), 1.0, etcd, {})
    assert running.settle(quiet=1, timeout=2)
    assert calls == [("etcd", {"quiet": 1, "timeout": 2})]


HOLD = """
import sys
from pathlib import Path
from review.twin.cluster import _folder
from sandbox import toolchain
from sandbox.layout import Layout
with _folder(Layout(Path(sys.argv[1]))) as own:
    print(own.root, flush=True)
    sys.stdin.read()
"""


def test_folders_of_dead_twins_are_removed_by_the_next_one(tmp_path: Path) -> None:
    holders = [
        subprocess.Popen(
            [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    folders = []
    for holder in holders:
        assert holder.stdout is not None
        folders.append(Path(holder.stdout.readline().strip()))
    unlocked = tmp_path / ".sandbox" / "twin-new"
    unlocked.mkdir()
    killed, living = holders
    killed.kill()
    killed.communicate()
    assert folders[0].exists()
    with module._folder(Layout(tmp_path)) as own:
        assert [folder.exists() for folder in (*folders, own.root, unlocked)] == [False, True, True, True]
        assert own.bin == tmp_path / ".sandbox" / "bin"
    assert not own.root.exists()
    living.communicate("")
    assert not folders[1].exists()


def test_slowness_is_relative_to_an_idle_machine() -> None:
    assert module._slowness(3.0, 300) == 1.0
    assert module._slowness(10.6, 300) == 2.0
    assert module._slowness(14.0, 9000) == 1.0
    assert module._slowness(100.0, 300) == 5.0
