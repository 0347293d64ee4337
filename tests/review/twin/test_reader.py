"""Reads through kubectl proxy."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from review.cluster.kubectl import Cluster, ForbiddenError, UnansweredError
from review.twin.reader import NotServedError, Reader, reader
from tests.review.programs import first_on_path, stand_in
from tests.review.twin.api_server import ApiServer


def test_the_proxy_uses_the_kubeconfig_and_rejects_writes(live: ApiServer, tmp_path: Path) -> None:
    live.answer({"/version": {"gitVersion": "v1.37.2"}})
    with reader(Cluster("far", tmp_path / "kubeconfig")) as source:
        assert source.get("/version") == {"gitVersion": "v1.37.2"}
    arguments = live.arguments.read_text(encoding="utf-8")
    assert arguments.startswith(f"--context far --kubeconfig {tmp_path / 'kubeconfig'} proxy --unix-socket=")
    assert "--reject-methods=^(POST|PUT|PATCH|DELETE)$" in arguments
    socket = Path(arguments.partition("--unix-socket=")[2].split()[0])
    assert not socket.parent.exists()


def test_pages_are_requested_until_there_is_no_more(live: ApiServer) -> None:
    live.answer(
        {
            "/api/v1/pods?limit=500": {"metadata": {"continue": "more"}, "items": [1]},
            "/api/v1/pods?limit=500&continue=more": {"metadata": {}, "items": [2]},
        }
    )
    with reader(Cluster()) as source:
        assert [page["items"] for page in source.pages("/api/v1/pods", "application/json;as=Table")] == [[1], [2]]
    assert {accept for _, accept in live.requests()} == {"application/json;as=Table"}


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        ([403, {"message": "pods is forbidden"}], ForbiddenError, "pods is forbidden"),
        ([404, {"message": "not found"}], NotServedError, "/x: not found"),
        ([500, {"message": "broken"}], UnansweredError, "/x: broken"),
        ([502, "Bad Gateway: connection refused"], UnansweredError, "/x: Bad Gateway: connection refused"),
        ([502, "[1]"], UnansweredError, "/x: [1]"),
        ([503, ""], UnansweredError, "/x: status 503"),
    ],
)
def test_errors(live: ApiServer, answer: object, error: type[Exception], text: str) -> None:
    live.answer({"/x": answer})
    with reader(Cluster()) as source, pytest.raises(error) as raised:
        source.get("/x")
    assert (type(raised.value), str(raised.value)) == (error, text)


def test_a_closed_connection_is_an_error_and_the_next_request_opens_another(live: ApiServer) -> None:
    live.answer({"/x": {}})
    with reader(Cluster()) as source:
        source.get("/x")
        source.close()
        assert source.get("/x") == {}


def test_a_proxy_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnansweredError, match="/x: "):
        Reader(tmp_path / "socket").get("/x")


def test_a_proxy_that_exits_is_reported_with_its_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first_on_path(tmp_path, monkeypatch)
    stand_in(tmp_path, "kubectl", "echo 'no such context' >&2; exit 1")
    with pytest.raises(UnansweredError, match="no such context"), reader(Cluster()):
        pass
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(UnansweredError, match="kubectl"), reader(Cluster()):
        pass


def test_a_proxy_that_does_not_start_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first_on_path(tmp_path, monkeypatch)
    stand_in(tmp_path, "kubectl", f"echo $$ >{tmp_path}/pid; exec sleep 60")
    monkeypatch.setattr("review.twin.reader._START_TIMEOUT", 0.3)
    with pytest.raises(UnansweredError, match="did not start within"), reader(Cluster()):
        pass
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text(encoding="utf-8")))


def test_a_killed_reader_leaves_no_proxy_behind_and_the_next_one_removes_its_socket(
    live: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    live.answer({"/x": {}})
    code = "from review.twin.reader import *\nwith reader(Cluster()): print('running', flush=True); time.sleep(60)"
    script = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert script.stdout is not None
    assert script.stdout.readline() == "running\n"
    (proxy,) = psutil.Process(script.pid).children()
    os.kill(script.pid, signal.SIGKILL)
    script.communicate()
    psutil.wait_procs([proxy], timeout=5)
    end = time.monotonic() + 5
    while proxy.is_running() and proxy.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end
    (left,) = tmp_path.glob("ml-platform-proxy-*")
    with reader(Cluster()) as first, reader(Cluster()):
        assert not left.exists()
        assert len(list(tmp_path.glob("ml-platform-proxy-*"))) == 2
        assert first.get("/x") == {}
    assert list(tmp_path.glob("ml-platform-proxy-*")) == []
