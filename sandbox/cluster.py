"""The control plane: etcd, kube-apiserver, kube-controller-manager, kube-scheduler, and kwok for the nodes.

Servers listen on 127.0.0.1 only, on ports that were free when the cluster was created, and require
client certificates of the cluster's certificate authority. The data is disposable.
"""

import json
import shutil
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import yaml
from cryptography.hazmat.primitives.asymmetric import ec

from sandbox import flags as server_flags
from sandbox import servers, store
from sandbox.certificates import Authority, write_key
from sandbox.layout import Layout
from sandbox.progress import log, step
from sandbox.servers import Server

# In bytes. A day of tests writes far less; etcd stops responding when the disk is full.
_FREE_SPACE = 1 << 30
# In seconds.
_START_TIMEOUT = 60.0
_GRACE_PERIOD = 0.3

_CLIENTS = {
    "admin": ("sandbox-admin", "system:masters"),
    "controller-manager": ("system:kube-controller-manager", None),
    "scheduler": ("system:kube-scheduler", None),
    "kwok": ("sandbox-kwok", "system:masters"),
}


_PORTS = ("etcd", "etcd-peer", "kube-apiserver")


class Cluster:
    """The cluster of one checkout's sandbox, or an additional one."""

    def __init__(
        self,
        layout: Layout,
        stages: Path | None = None,
        *,
        flags: Mapping[str, Sequence[str]] | None = None,
        bound: bool = False,
    ) -> None:
        self._layout = layout
        self._folder = layout.cluster
        self._pki = layout.cluster / "pki"
        self._stages = stages
        """The file of kwok's stages, which simulate the kubelet and a cloud provider. Only ``start`` needs it."""
        self._flags = flags or {}
        """Additional flags by server. The last one of several equal flags counts."""
        self._bound = bound
        """Whether the servers are killed when the thread that has started them ends, even if it is killed."""
        self._processes: list[subprocess.Popen[bytes]] = []

    def exists(self) -> bool:
        """Whether there is anything to remove: files, or servers whose files were deleted."""
        return self._folder.exists() or bool(servers.running(self._layout.root))

    def running(self) -> bool:
        """Whether all servers are running and the API server is ready."""
        return not self.stopped() and self._ready()

    def start(self) -> None:
        """Create the cluster if necessary, and start the servers that are not running."""
        running = servers.running(self._layout.root)
        for server in self._servers():
            # Another version of this project may have started it with other flags.
            if server.name in running and tuple(running[server.name].cmdline()) != server.command:
                servers.kill([running[server.name]])
        if self.running():
            log("cluster: already running")
            return
        self._layout.root.mkdir(parents=True, exist_ok=True)
        store.check_space(self._layout.root, _FREE_SPACE, "a cluster")
        stopped = self.stopped()
        if self._complete() and self._ports_available(stopped):
            log(f"cluster: restarting: {', '.join(stopped) or 'the API server does not respond'}")
        else:
            self.create()
        with step("cluster: etcd, API server, controller manager, scheduler, kwok"):
            if not self.stopped():  # all are running, but the API server is not ready: one of them hangs
                servers.stop(self._layout.root)
            self.run(*(server.name for server in self._servers()))

    def remove(self) -> None:
        """Stop all servers, and delete the cluster and the state of its stacks, whose objects no longer exist."""
        servers.stop(self._layout.root)
        for process in self._processes:
            process.wait()
        self._processes = []
        for path in (self._folder, self._layout.state):
            shutil.rmtree(path, ignore_errors=True)
        self._layout.kubeconfig.unlink(missing_ok=True)

    def etcd_client(self) -> dict[str, str]:
        """The URL of etcd, and the files with which a client connects to it."""
        files = {"authority": "ca.crt", "certificate": "apiserver.crt", "private_key": "apiserver.key"}
        url = f"https://127.0.0.1:{self._port('etcd')}"
        return {"url": url, **{name: str(self._pki / file) for name, file in files.items()}}

    def stopped(self) -> list[str]:
        """The names of the servers that are not running."""
        running = servers.running(self._layout.root)
        return [server.name for server in self._servers() if server.name not in running]

    def run(self, *names: str) -> None:
        """Start the servers with these names that are not running, and wait until they are ready."""
        checks: dict[str, Callable[[], bool]] = {
            "etcd": lambda: self._listens("etcd"),
            "kube-apiserver": self._ready,
        }
        wanted = set(self.stopped()) & set(names)
        started: dict[str, tuple[Server, subprocess.Popen[bytes]]] = {}
        for server in self._servers():
            if server.name in wanted:
                process = server.start(self._layout.environment())
                started[server.name] = server, process
                self._processes.append(process)
                if server.name in checks:
                    server.wait(process, checks[server.name], _START_TIMEOUT)
        # The others have no port to check. With an invalid flag they exit immediately.
        if started.keys() - checks.keys():
            time.sleep(_GRACE_PERIOD)
        for server, process in started.values():
            server.wait(process, lambda process=process: process.poll() is None, timeout=0)  # type: ignore[misc]

    def _complete(self) -> bool:
        return (self._folder / "ports.json").exists()

    def create(self) -> None:
        """Create a new cluster: ports, certificates and kubeconfigs."""
        self.remove()
        authority = Authority(self._pki)
        authority.issue("etcd", "sandbox-etcd", server=True)
        authority.issue("apiserver", "sandbox-apiserver", server=True)
        for file, (user, group) in _CLIENTS.items():
            authority.issue(file, user, group)
        write_key(self._pki / "service-account.key", ec.generate_private_key(ec.SECP256R1()))
        ports = dict(zip(_PORTS, _free_ports(3), strict=True))
        for client in _CLIENTS:
            path = self._layout.kubeconfig if client == "admin" else self._folder / f"{client}.kubeconfig"
            self._write_kubeconfig(path, client, ports["kube-apiserver"])
        self._layout.write_environment()
        # Last: a cluster without this file is incomplete, and is created again.
        (self._folder / "ports.json").write_text(json.dumps(ports), encoding="utf-8")

    def _port(self, name: str) -> int:
        if not self._complete():
            return 0
        port: int = json.loads((self._folder / "ports.json").read_text(encoding="utf-8"))[name]
        return port

    def _ports_available(self, stopped: list[str]) -> bool:
        """Whether the ports of the stopped servers are still free."""
        owners = {"etcd": "etcd", "etcd-peer": "etcd", "kube-apiserver": "kube-apiserver"}
        return all(_is_free(self._port(port)) for port, owner in owners.items() if owner in stopped)

    def _listens(self, name: str) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self._port(name)), timeout=1).close()
        except OSError:
            return False
        return True

    def _ready(self) -> bool:
        if not self._complete():
            return False
        try:
            context = ssl.create_default_context(cafile=str(self._pki / "ca.crt"))
            context.load_cert_chain(self._pki / "admin.crt", self._pki / "admin.key")
            url = f"https://127.0.0.1:{self._port('kube-apiserver')}/readyz"
            with urllib.request.urlopen(url, context=context, timeout=5) as response:
                return bool(response.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def _write_kubeconfig(self, path: Path, client: str, port: int) -> None:
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "sandbox",
            "contexts": [{"name": "sandbox", "context": {"cluster": "sandbox", "user": client}}],
            "clusters": [
                {
                    "name": "sandbox",
                    "cluster": {
                        "server": f"https://127.0.0.1:{port}",
                        "certificate-authority": str(self._pki / "ca.crt"),
                    },
                }
            ],
            "users": [
                {
                    "name": client,
                    "user": {
                        "client-certificate": str(self._pki / f"{client}.crt"),
                        "client-key": str(self._pki / f"{client}.key"),
                    },
                }
            ],
        }
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")

    def _servers(self) -> list[Server]:
        """All servers, each after those that it depends on."""
        ports = {name: self._port(name) for name in _PORTS}
        commands = server_flags.commands(self._layout, ports, self._stages)
        root, logs = self._layout.root, self._folder / "logs"
        return [
            Server(name, (str(self._layout.bin / name), *command, *self._flags.get(name, ())), root, logs, self._bound)
            for name, command in commands.items()
        ]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for probe in sockets:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in sockets]
    finally:
        for probe in sockets:
            probe.close()
