"""Server processes: found by their environment, and watched while they start."""

import subprocess
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


def test_stop_kills_the_servers_of_one_sandbox_only(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine", tmp_path / "mine-too"
    sleep = "import time; time.sleep(60)"
    process, unrelated = server(mine, sleep).start({}), server(other, sleep).start({})
    try:
        assert {name: found.pid for name, found in servers.running(mine).items()} == {"etcd": process.pid}
        servers.stop(mine)
        process.wait(5)
        assert not psutil.pid_exists(process.pid)
        assert servers.running(mine) == {}
        assert unrelated.poll() is None
    finally:
        servers.stop(other)
        unrelated.wait(5)


START = """
import sys, time
from pathlib import Path
from sandbox.servers import Server
folder = Path(sys.argv[1])
Server("etcd", ("sleep", "60"), folder, folder / "logs", bound=sys.argv[2] == "bound").start({})
print(flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("kind", ["bound", "unbound"])
def test_a_bound_server_ends_when_the_program_is_killed(kind: str, tmp_path: Path) -> None:
    program = subprocess.Popen([sys.executable, "-c", START, str(tmp_path), kind], stdout=subprocess.PIPE)
    assert program.stdout is not None
    program.stdout.readline()
    (found,) = servers.running(tmp_path).values()
    program.kill()
    program.communicate()
    _, alive = psutil.wait_procs([found], timeout=2)
    assert [one for one in alive if one.status() != psutil.STATUS_ZOMBIE] == ([found] if kind == "unbound" else [])
    servers.stop(tmp_path)


def test_a_server_that_exits_during_startup_is_reported_with_its_log(tmp_path: Path) -> None:
    broken = server(tmp_path, "import sys; sys.exit('no such flag')")
    with pytest.raises(SandboxError) as error:
        broken.wait(broken.start({}), lambda: False, timeout=10)
    assert "etcd exited during startup" in str(error.value)
    assert "    no such flag" in str(error.value)
    assert "make down" in str(error.value)


def test_a_server_that_does_not_become_ready_times_out(tmp_path: Path) -> None:
    hanging = server(tmp_path, "import time; time.sleep(60)")
    process = hanging.start({})
    started = time.monotonic()
    with pytest.raises(SandboxError, match=r"etcd is not ready after 0 s"):
        hanging.wait(process, lambda: False, timeout=0.2)
    assert time.monotonic() - started < 10
    servers.stop(tmp_path)
    process.wait(5)
