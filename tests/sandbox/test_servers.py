"""Server processes are found by what they carry, and by nothing else."""

import sys
import time
from pathlib import Path

import psutil
import pytest

from sandbox import servers
from sandbox.layout import SandboxError
from sandbox.servers import Server


def server(sandbox: Path, *code: str) -> Server:
    return Server("etcd", (sys.executable, "-c", *code), sandbox, sandbox / "logs")


def test_a_server_is_found_by_its_sandbox_and_ended(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine", tmp_path / "mine-too"
    sleeper = "import time; time.sleep(60)"
    process, stranger = server(mine, sleeper).start({}), server(other, sleeper).start({})
    try:
        assert {name: found.pid for name, found in servers.running(mine).items()} == {"etcd": process.pid}
        servers.stop(mine)
        process.wait(5)
        assert not psutil.pid_exists(process.pid)
        assert servers.running(mine) == {}
        assert stranger.poll() is None
    finally:
        servers.stop(other)
        stranger.wait(5)


def test_a_server_that_ends_at_once_is_told_with_its_last_words(tmp_path: Path) -> None:
    broken = server(tmp_path, "import sys; sys.exit('no such flag')")
    with pytest.raises(SandboxError) as failure:
        broken.wait(broken.start({}), lambda: False, timeout=10)
    assert "etcd ended right after its start" in str(failure.value)
    assert "    no such flag" in str(failure.value)
    assert "make down" in str(failure.value)


def test_a_server_that_is_never_ready_is_given_up(tmp_path: Path) -> None:
    hanging = server(tmp_path, "import time; time.sleep(60)")
    process = hanging.start({})
    started = time.monotonic()
    with pytest.raises(SandboxError, match=r"etcd is not ready after 0 s"):
        hanging.wait(process, lambda: False, timeout=0.2)
    assert time.monotonic() - started < 10
    servers.stop(tmp_path)
    process.wait(5)
