"""The life cycle of a sandbox: up, up again, down, another stack, another checkout, and deleted files."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from sandbox import servers
from tests.e2e.conftest import fresh_copy
from tests.e2e.project import Project, changes, reports


@pytest.fixture
def other_checkout() -> Iterator[Project]:
    """Another checkout on the same machine, in a folder with a space in its name."""
    yield from fresh_copy("another checkout")


def test_down_stops_all_processes_and_releases_all_ports(checkout: Project) -> None:
    checkout.up()
    again = checkout.up()
    assert "cluster: already running" in again
    assert changes(again) == {}
    addresses = checkout.listening()
    assert {address for address, _ in addresses} == {"127.0.0.1"}
    secrets = [checkout.layout.kubeconfig, *checkout.layout.cluster.rglob("*.key")]
    assert {oct(path.stat().st_mode & 0o777) for path in secrets} == {"0o600"}
    down = checkout.operations("down")
    assert down.returncode == 0, down.stderr
    assert changes(down.stdout).keys() == {"deleted"}
    assert checkout.processes() == {}
    for address in addresses:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    assert "cluster: not running" in checkout.operations("down").stdout


@pytest.mark.long
def test_up_of_another_stack_destroys_the_deployed_one(checkout: Project) -> None:
    checkout.up("dev")
    output = checkout.up("prod")
    assert "stack dev: destroying it" in output
    assert changes(output).keys() == {"created"}
    assert {node["metadata"]["labels"]["sandbox.ml-platform/pool"] for node in checkout.get("nodes")["items"]} == {
        "cpu",
        "gpu",
    }


@pytest.mark.long
def test_a_deleted_folder_leaves_no_servers_behind(checkout: Project) -> None:
    assert checkout.start().returncode == 0
    before = {process.pid for process in checkout.processes().values()}
    shutil.rmtree(checkout.layout.root)
    assert checkout.start().returncode == 0
    after = {process.pid for process in checkout.processes().values()}
    assert len(after) == 5
    assert not before & after
    assert not any(psutil.pid_exists(pid) for pid in before)
    assert checkout.stop().returncode == 0
    assert checkout.processes() == {}
    assert not checkout.layout.cluster.exists()


@pytest.mark.long
def test_a_port_that_another_process_has_taken_is_replaced(checkout: Project) -> None:
    assert checkout.start().returncode == 0
    port = max(port for _, port in checkout.listening())
    servers.stop(checkout.layout.root)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        started = checkout.start()
        assert started.returncode == 0, started.stdout + started.stderr
        assert port not in {taken for _, taken in checkout.listening()}


@pytest.mark.long
def test_two_checkouts_are_independent(checkout: Project, other_checkout: Project) -> None:
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "operations", "up"],
            cwd=project.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for project in (checkout, other_checkout)
    ]
    outputs = [process.communicate(timeout=300)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert not checkout.listening() & other_checkout.listening()
    assert checkout.operations("down").returncode == 0
    assert len(other_checkout.processes()) == 5
    assert other_checkout.names("deployments", "ml-serving") == ["model-serving"]


def test_an_invalid_stack_is_rejected_before_any_server_is_started(checkout: Project) -> None:
    checkout.edit("dev", lambda settings: settings["modelServices"]["model-serving"].update(replicas=0))
    started = time.monotonic()
    failed = checkout.operations("up")
    assert failed.returncode == 1
    assert reports(failed.stderr, "modelServices.model-serving.replicas", "out-of-range", stack="dev")
    assert "Traceback" not in failed.stderr
    assert checkout.processes() == {}
    assert time.monotonic() - started < 30
