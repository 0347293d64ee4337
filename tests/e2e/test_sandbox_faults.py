"""Faults: killed servers, killed commands, and a server that cannot start."""

import os
import re
import signal
import subprocess
import sys

import psutil
import pytest

from sandbox import servers
from tests.e2e.project import Project, changes


def begin_up(project: Project) -> subprocess.Popen[str]:
    """Run ``make up`` in the background."""
    return subprocess.Popen(
        [sys.executable, "-m", "operations", "up", "--stack", "dev"],
        cwd=project.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def read_until(process: subprocess.Popen[str], pattern: str) -> None:
    """Read the output of a process up to the first line that matches a pattern."""
    assert process.stdout is not None
    for line in process.stdout:
        if re.search(pattern, line):
            return
    raise AssertionError(f"no line of the output matches {pattern}")


@pytest.mark.long
def test_killed_servers_are_restarted(checkout: Project) -> None:
    checkout.up()
    for process in checkout.processes().values():
        process.kill()
    output = checkout.up()
    assert "cluster: restarting: etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kwok" in output
    assert changes(output) == {}


def test_up_fails_if_servers_are_killed_and_the_next_up_resumes(checkout: Project) -> None:
    running = begin_up(checkout)
    read_until(running, r"Deployment model-serving-deployment creating")
    for process in checkout.processes().values():
        process.kill()
    output, _ = running.communicate(timeout=60)
    assert running.returncode == 1
    assert "the cluster stopped during pulumi up" in output
    assert "Traceback" not in output
    checkout.up()
    assert checkout.get("deployment", "model-serving", "ml-serving")["status"]["readyReplicas"] == 1
    assert changes(checkout.up()) == {}


@pytest.mark.long
def test_a_killed_up_is_resumed_by_the_next(checkout: Project) -> None:
    running = begin_up(checkout)
    read_until(running, r"Deployment model-serving-deployment creating")
    family = psutil.Process(running.pid).children(recursive=True)
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
    output = checkout.up()
    assert "removing the lock of a run that was killed" in output
    assert changes(checkout.up()) == {}
    servers.kill([process for process in family if process.is_running()])  # Pulumi's plugins are in other groups


@pytest.mark.long
def test_a_server_that_cannot_start_is_reported_with_the_end_of_its_log(checkout: Project) -> None:
    assert checkout.start().returncode == 0
    servers.stop(checkout.layout.root)
    (checkout.layout.cluster / "pki" / "apiserver.crt").write_text("damaged", encoding="utf-8")
    failed = checkout.start()
    assert failed.returncode == 1
    assert "kube-apiserver exited during startup. The end of" in failed.stderr
    assert "make down" in failed.stderr
    assert checkout.operations("down").returncode == 0
    assert checkout.start().returncode == 0
