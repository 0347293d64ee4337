"""The life of a sandbox: up, again, down; another stack, another checkout, taken ports, a lost folder."""

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
from tests.e2e.project import Project, changes


@pytest.fixture
def neighbour() -> Iterator[Project]:
    """Another checkout on the same machine, in a folder with a space in its name."""
    yield from fresh_copy("a neighbour")


def test_up_twice_then_down_leaves_no_process_and_no_port(checkout: Project) -> None:
    checkout.up()
    again = checkout.up()
    assert "cluster: up already" in again
    assert changes(again) == {}
    addresses = checkout.listening()
    assert {address for address, _ in addresses} == {"127.0.0.1"}
    secrets = [checkout.layout.kubeconfig, *checkout.layout.cluster.rglob("*.key")]
    assert {oct(path.stat().st_mode & 0o777) for path in secrets} == {"0o600"}
    down = checkout.sandbox("down")
    assert down.returncode == 0, down.stderr
    assert changes(down.stdout).keys() == {"deleted"}
    assert checkout.processes() == {}
    for address in addresses:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    assert "there is nothing to take down" in checkout.sandbox("down").stdout


@pytest.mark.long
def test_another_stack_takes_the_place_of_the_one_that_is_up(checkout: Project) -> None:
    checkout.up("dev")
    output = checkout.up("prod")
    assert "stack dev is up in this sandbox" in output
    assert changes(output).keys() == {"created"}
    assert {node["metadata"]["labels"]["sandbox.ml-platform/pool"] for node in checkout.get("nodes")["items"]} == {
        "cpu",
        "gpu",
    }


@pytest.mark.long
def test_a_lost_folder_leaves_no_servers_behind(checkout: Project) -> None:
    assert checkout.sandbox("start").returncode == 0
    before = {process.pid for process in checkout.processes().values()}
    shutil.rmtree(checkout.layout.root)
    assert checkout.sandbox("start").returncode == 0
    after = {process.pid for process in checkout.processes().values()}
    assert len(after) == 5
    assert not before & after
    assert not any(psutil.pid_exists(pid) for pid in before)


@pytest.mark.long
def test_a_port_that_somebody_else_has_taken_meanwhile(checkout: Project) -> None:
    assert checkout.sandbox("start").returncode == 0
    port = max(port for _, port in checkout.listening())
    servers.stop(checkout.layout.root)
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", port))
        stranger.listen()
        started = checkout.sandbox("start")
        assert started.returncode == 0, started.stdout + started.stderr
        assert port not in {taken for _, taken in checkout.listening()}


@pytest.mark.long
def test_two_checkouts_do_not_collide(checkout: Project, neighbour: Project) -> None:
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "sandbox", "up"],
            cwd=project.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for project in (checkout, neighbour)
    ]
    outputs = [process.communicate(timeout=300)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert not checkout.listening() & neighbour.listening()
    assert checkout.sandbox("down").returncode == 0
    assert len(neighbour.processes()) == 5
    assert neighbour.names("deployments", "ml-serving") == ["model-serving"]


def test_a_broken_stack_is_told_before_anything_is_started(checkout: Project) -> None:
    checkout.edit("dev", lambda settings: settings["modelServices"]["model-serving"].update(replicas=0))
    started = time.monotonic()
    refused = checkout.sandbox("up")
    assert refused.returncode == 1
    assert "Pulumi.dev.yaml: ml-platform:modelServices.model-serving.replicas: must be at least 1" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert checkout.processes() == {}
    assert time.monotonic() - started < 30
