"""The sandbox under faults: killed servers, killed runs, taken ports, neighbours."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from sandbox import servers
from tests.e2e.conftest import fresh_copy
from tests.e2e.project import Project


@pytest.fixture
def checkout() -> Iterator[Project]:
    """A checkout with nothing up."""
    yield from fresh_copy("faults")


@pytest.fixture
def neighbour() -> Iterator[Project]:
    """Another checkout on the same machine, in a folder with a space in its name."""
    yield from fresh_copy("a neighbour")


def up(project: Project, stack: str = "dev") -> str:
    done = project.sandbox("up", "--stack", stack)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def did(output: str) -> str:
    """What Pulumi did to all resources alike, by its own summary; nothing where it did several things."""
    match = re.search(r"^Resources:\n +[-+]? ?[0-9]+ ([a-z]+)\n\n", output, re.MULTILINE)
    return match[1] if match else ""


def processes(project: Project) -> dict[str, psutil.Process]:
    return servers.running(project.layout.root)


def listening(project: Project) -> set[tuple[str, int]]:
    """Where the sandbox's servers listen."""
    connections = [c for process in processes(project).values() for c in process.net_connections("inet")]
    return {(c.laddr.ip, c.laddr.port) for c in connections if c.status == psutil.CONN_LISTEN}


def start_up(project: Project) -> subprocess.Popen[str]:
    """``make up``, running."""
    return subprocess.Popen(
        [sys.executable, "-m", "sandbox", "up", "--stack", "dev"],
        cwd=project.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def read_until(process: subprocess.Popen[str], pattern: str) -> None:
    """Read a process's output up to the first line that matches."""
    assert process.stdout is not None
    for line in process.stdout:
        if re.search(pattern, line):
            return
    raise AssertionError(f"{pattern} was never printed")


def test_up_twice_then_down_leaves_no_process_and_no_port(checkout: Project) -> None:
    up(checkout)
    again = up(checkout)
    assert "cluster: up already" in again
    assert did(again) == "unchanged"
    addresses = listening(checkout)
    assert {address for address, _ in addresses} == {"127.0.0.1"}
    secrets = [checkout.layout.kubeconfig, *checkout.layout.cluster.rglob("*.key")]
    assert {oct(path.stat().st_mode & 0o777) for path in secrets} == {"0o600"}
    down = checkout.sandbox("down")
    assert down.returncode == 0, down.stderr
    assert did(down.stdout) == "deleted"
    assert processes(checkout) == {}
    for address in addresses:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    assert "there is nothing to take down" in checkout.sandbox("down").stdout


def test_another_stack_takes_the_place_of_the_one_that_is_up(checkout: Project) -> None:
    up(checkout, "dev")
    output = up(checkout, "prod")
    assert "stack dev is up in this sandbox" in output
    assert did(output) == "created"
    assert {node["metadata"]["labels"]["sandbox.ml-platform/pool"] for node in checkout.get("nodes")["items"]} == {
        "cpu",
        "gpu",
    }


def test_killed_servers_are_noticed_and_started_again(checkout: Project) -> None:
    up(checkout)
    for process in processes(checkout).values():
        process.kill()
    output = up(checkout)
    assert "cluster: starting again: etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kwok" in output
    assert did(output) == "unchanged"


def test_servers_killed_in_the_middle_of_up(checkout: Project) -> None:
    running = start_up(checkout)
    read_until(running, r"Deployment model-serving-deployment creating")
    for process in processes(checkout).values():
        process.kill()
    output, _ = running.communicate(timeout=60)
    assert running.returncode == 1
    assert "the cluster fell while pulumi up ran" in output
    assert "Traceback" not in output
    up(checkout)
    assert checkout.get("deployment", "model-serving", "ml-serving")["status"]["readyReplicas"] == 1
    assert did(up(checkout)) == "unchanged"


def test_up_itself_killed_in_the_middle(checkout: Project) -> None:
    running = start_up(checkout)
    read_until(running, r"Deployment model-serving-deployment creating")
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
    output = up(checkout)
    assert "removing the lock of a run that was killed" in output
    assert did(up(checkout)) == "unchanged"


def test_a_lost_folder_leaves_no_servers_behind(checkout: Project) -> None:
    assert checkout.sandbox("start").returncode == 0
    before = {process.pid for process in processes(checkout).values()}
    shutil.rmtree(checkout.layout.root)
    assert checkout.sandbox("start").returncode == 0
    after = {process.pid for process in processes(checkout).values()}
    assert len(after) == 5
    assert not before & after
    assert not any(psutil.pid_exists(pid) for pid in before)


def test_a_port_that_somebody_else_has_taken_meanwhile(checkout: Project) -> None:
    assert checkout.sandbox("start").returncode == 0
    port = max(port for _, port in listening(checkout))
    servers.stop(checkout.layout.root)
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", port))
        stranger.listen()
        started = checkout.sandbox("start")
        assert started.returncode == 0, started.stdout + started.stderr
        assert port not in {taken for _, taken in listening(checkout)}


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
    assert not listening(checkout) & listening(neighbour)
    assert checkout.sandbox("down").returncode == 0
    assert len(processes(neighbour)) == 5
    assert neighbour.names("deployments", "ml-serving") == ["model-serving"]


def test_a_broken_stack_is_told_before_anything_is_started(checkout: Project) -> None:
    checkout.edit("dev", lambda settings: settings["modelServices"]["model-serving"].update(replicas=0))
    started = time.monotonic()
    refused = checkout.sandbox("up")
    assert refused.returncode == 1
    assert "Pulumi.dev.yaml: ml-platform:modelServices.model-serving.replicas: must be at least 1" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert processes(checkout) == {}
    assert time.monotonic() - started < 30


def test_a_server_that_cannot_start_is_told_with_the_end_of_its_log(checkout: Project) -> None:
    assert checkout.sandbox("start").returncode == 0
    servers.stop(checkout.layout.root)
    (checkout.layout.cluster / "pki" / "apiserver.crt").write_text("damaged", encoding="utf-8")
    failed = checkout.sandbox("start")
    assert failed.returncode == 1
    assert "kube-apiserver ended right after its start. The end of" in failed.stderr
    assert "make down" in failed.stderr
    assert checkout.sandbox("down").returncode == 0
    assert checkout.sandbox("start").returncode == 0
