"""The flags of the servers."""

from pathlib import Path

from sandbox.flags import commands
from sandbox.layout import Layout

PORTS = {"etcd": 1001, "etcd-peer": 1002, "kube-apiserver": 1003}


def test_servers_listen_on_loopback_only() -> None:
    found = commands(Layout(Path("/checkout")), PORTS, Path("/stages.yaml"))
    urls = [flag for flag in found["etcd"] if "-urls=" in flag]
    assert len(urls) == 4
    assert all("=https://127.0.0.1:" in flag for flag in urls)
    assert "--bind-address=127.0.0.1" in found["kube-apiserver"]
    assert all("--secure-port=0" in found[name] for name in ("kube-controller-manager", "kube-scheduler"))


def test_all_files_are_those_of_the_cluster() -> None:
    found = commands(Layout(Path("/checkout"), "twin"), PORTS, Path("/stages.yaml"))
    paths = [flag.partition("=")[2] for flags in found.values() for flag in flags if "=/" in flag]
    assert {path for path in paths if not path.startswith("/checkout/.sandbox/twin/")} == {"/stages.yaml"}
    assert "--secure-port=1003" in found["kube-apiserver"]
