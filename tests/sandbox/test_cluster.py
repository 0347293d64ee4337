"""A cluster without its programs: the files, flags and ports that it is created with."""

import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from sandbox import cluster as clusters
from sandbox import servers
from sandbox.cluster import Cluster
from sandbox.layout import Layout
from sandbox.servers import Server

NAMES = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"]


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[Layout]:
    layout = Layout(tmp_path)
    layout.root.mkdir()
    yield layout
    servers.stop(layout.root)


def created(layout: Layout) -> Cluster:
    cluster = Cluster(layout, layout.root / "stages.yaml")
    cluster.create()
    return cluster


def test_a_new_cluster_is_not_running(layout: Layout) -> None:
    cluster = created(layout)
    assert cluster.exists()
    assert cluster.stopped() == NAMES
    assert not cluster.running()


def test_kubeconfigs_are_private_and_point_at_the_api_server(layout: Layout) -> None:
    cluster = created(layout)
    files = [layout.kubeconfig, *layout.cluster.glob("*.kubeconfig")]
    assert len(files) == 4
    for file in files:
        assert file.stat().st_mode & 0o777 == 0o600
        content: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
        assert content["clusters"][0]["cluster"]["server"] == f"https://127.0.0.1:{cluster._port('kube-apiserver')}"
        assert Path(content["users"][0]["user"]["client-key"]).stat().st_mode & 0o777 == 0o600
    assert yaml.safe_load(layout.kubeconfig.read_text(encoding="utf-8"))["current-context"] == "sandbox"


def test_additional_flags_come_last(layout: Layout) -> None:
    flags = {"etcd": ["--max-txn-ops=1000"]}
    commands = {server.name: server.command for server in Cluster(layout, flags=flags)._servers()}
    assert list(commands) == NAMES
    assert commands["etcd"][-1] == "--max-txn-ops=1000"
    assert commands["kwok"][-1] != "--max-txn-ops=1000"


def test_a_client_of_etcd_has_a_certificate(layout: Layout) -> None:
    client = created(layout).etcd_client()
    assert client.pop("url").startswith("https://127.0.0.1:")
    assert all(Path(file).exists() for file in client.values())


def test_a_port_in_use_is_not_available(layout: Layout) -> None:
    cluster = created(layout)
    assert cluster._ports_available(NAMES)
    with socket.socket() as other:
        other.bind(("127.0.0.1", cluster._port("kube-apiserver")))
        other.listen()
        assert not cluster._ports_available(NAMES)
        assert cluster._ports_available(["etcd"])


@pytest.fixture
def started(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Stand-ins for the programs, which only sleep, and are ready immediately. Yields the started ones."""
    layout.bin.mkdir()
    for name in NAMES:
        program = layout.bin / name
        program.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(60)\n", encoding="utf-8")
        program.chmod(0o755)
    monkeypatch.setattr(clusters, "_GRACE_PERIOD", 0)
    monkeypatch.setattr(Cluster, "_listens", lambda *_: True)
    monkeypatch.setattr(Cluster, "_ready", lambda _: True)
    cmdline, start = psutil.Process.cmdline, Server.start
    # That of a script begins with its interpreter.
    monkeypatch.setattr(psutil.Process, "cmdline", lambda process: cmdline(process)[1:])
    processes: list[subprocess.Popen[bytes]] = []

    def record(server: Server, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        processes.append(start(server, environment))
        return processes[-1]

    monkeypatch.setattr(Server, "start", record)
    yield processes
    servers.stop(layout.root)
    for process in processes:
        process.wait(5)


def process_ids(layout: Layout) -> dict[str, int]:
    return {name: process.pid for name, process in servers.running(layout.root).items()}


def changed(before: dict[str, int], after: dict[str, int]) -> set[str]:
    assert before.keys() == after.keys() == set(NAMES)
    return {name for name in NAMES if before[name] != after[name]}


def test_start_restarts_the_stopped_servers_only(
    layout: Layout, started: list[subprocess.Popen[bytes]], capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = Cluster(layout, layout.root / "stages.yaml")
    cluster.start()
    assert cluster.running()
    before = process_ids(layout)
    started[NAMES.index("kube-scheduler")].kill()
    started[NAMES.index("kube-scheduler")].wait(5)
    assert cluster.stopped() == ["kube-scheduler"]
    cluster.start()
    assert changed(before, process_ids(layout)) == {"kube-scheduler"}
    cluster.start()
    output = capsys.readouterr().out
    assert "cluster: restarting: kube-scheduler\n" in output
    assert "cluster: already running\n" in output


def test_servers_can_be_started_one_by_one(layout: Layout, started: list[subprocess.Popen[bytes]]) -> None:
    """The servers of an additional cluster of the checkout, which end with the process that has started them."""
    additional = Layout(layout.project, "twin")
    cluster = Cluster(additional, layout.root / "stages.yaml", bound=True)
    cluster.create()
    cluster.run("etcd")
    cluster.run("etcd", "kube-apiserver")
    assert list(servers.running(additional.root)) == ["etcd", "kube-apiserver"]
    assert servers.running(layout.root) == {}
    assert len(started) == 2
    assert all(server.bound for server in cluster._servers())
    cluster.remove()
    assert all(process.returncode is not None for process in started)


def test_start_restarts_a_server_whose_flags_have_changed(
    layout: Layout, started: list[subprocess.Popen[bytes]]
) -> None:
    Cluster(layout, layout.root / "stages.yaml").start()
    before = process_ids(layout)
    Cluster(layout, layout.root / "other-stages.yaml").start()
    assert changed(before, process_ids(layout)) == {"kwok"}


def test_remove_stops_the_servers_and_deletes_the_cluster(
    layout: Layout, started: list[subprocess.Popen[bytes]]
) -> None:
    cluster = Cluster(layout, layout.root / "stages.yaml")
    cluster.start()
    cluster.remove()
    assert not cluster.exists()
    assert not layout.kubeconfig.exists()
    assert not layout.state.exists()
