"""The control plane: etcd, API server, controller manager, scheduler, and kwok for the nodes.

All of it listens on 127.0.0.1, on free ports that each checkout chooses for itself, and asks for
certificates of its own authority. Its data are throw-away.
"""

import json
import shutil
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import yaml
from cryptography.hazmat.primitives.asymmetric import ec

from sandbox import servers, store
from sandbox.certificates import Authority, write_key
from sandbox.layout import Layout
from sandbox.progress import say, step
from sandbox.servers import Server

# What a cluster writes in a day of tests stays far below this; with less, etcd stops answering.
_FREE_SPACE = 1 << 30
_START_TIMEOUT = 60.0
_GRACE = 0.3

_CLIENTS = {
    "admin": ("sandbox-admin", "system:masters"),
    "controller-manager": ("system:kube-controller-manager", None),
    "scheduler": ("system:kube-scheduler", None),
    "kwok": ("sandbox-kwok", "system:masters"),
}


class Cluster:
    """The servers of one checkout's sandbox."""

    def __init__(self, layout: Layout, stages: Path) -> None:
        self._layout = layout
        self._folder = layout.cluster
        self._pki = layout.cluster / "pki"
        self._stages = stages
        """kwok's configuration: what happens to nodes, pods and services."""

    def running(self) -> bool:
        """Whether all servers run and the API server says that it is ready."""
        return not self.fallen() and self._ready()

    def start(self) -> None:
        """Bring up what does not run; what runs and is well is left alone."""
        alive = servers.running(self._layout.root)
        for server in self._servers():  # started by an older version of this project
            if server.name in alive and tuple(alive[server.name].cmdline()) != server.command:
                servers.end([alive[server.name]])
        if self.running():
            say("cluster: up already")
            return
        self._layout.root.mkdir(parents=True, exist_ok=True)
        store.check_space(self._layout.root, _FREE_SPACE, "a cluster")
        fallen = self.fallen()
        if self._made() and self._ports_usable(fallen):
            say(f"cluster: starting again: {', '.join(fallen) or 'the API server does not answer'}")
        else:
            self._make()
        with step("cluster: etcd, API server, controller manager, scheduler, kwok"):
            self._start_servers()

    def remove(self) -> None:
        """End all servers and delete their data, and the stacks' state: it describes objects that are gone."""
        servers.stop(self._layout.root)
        for path in (self._folder, self._layout.state):
            shutil.rmtree(path, ignore_errors=True)
        self._layout.kubeconfig.unlink(missing_ok=True)

    def fallen(self) -> list[str]:
        """The names of the servers that do not run."""
        alive = servers.running(self._layout.root)
        return [server.name for server in self._servers() if server.name not in alive]

    def _start_servers(self) -> None:
        if not self.fallen():  # all run, and yet it is not ready: one of them hangs
            servers.stop(self._layout.root)
        checks: dict[str, Callable[[], bool]] = {
            "etcd": lambda: self._answers("etcd"),
            "kube-apiserver": self._ready,
        }
        fallen = self.fallen()
        started = {}
        for server in self._servers():
            if server.name in fallen:
                started[server] = server.start(self._layout.environment())
                if server.name in checks:
                    server.wait(started[server], checks[server.name], _START_TIMEOUT)
        # The others have no port to ask; a wrong flag ends them at once.
        time.sleep(_GRACE)
        for server, process in started.items():
            server.wait(process, lambda process=process: process.poll() is None, timeout=0)  # type: ignore[misc]

    def _made(self) -> bool:
        return (self._folder / "ports.json").exists()

    def _make(self) -> None:
        """Lay out a new cluster: ports, certificates, kubeconfigs."""
        self.remove()
        authority = Authority(self._pki)
        authority.issue("etcd", "sandbox-etcd", server=True)
        authority.issue("apiserver", "sandbox-apiserver", server=True)
        for file, (user, group) in _CLIENTS.items():
            authority.issue(file, user, group)
        write_key(self._pki / "service-account.key", ec.generate_private_key(ec.SECP256R1()))
        ports = dict(zip(("etcd", "etcd-peer", "kube-apiserver"), _free_ports(3), strict=True))
        for client in _CLIENTS:
            path = self._layout.kubeconfig if client == "admin" else self._folder / f"{client}.kubeconfig"
            self._write_kubeconfig(path, client, ports["kube-apiserver"])
        self._layout.write_environment()
        # Last: a cluster without it is half-made, and is made again.
        (self._folder / "ports.json").write_text(json.dumps(ports), encoding="utf-8")

    def _port(self, name: str) -> int:
        if not self._made():
            return 0
        port: int = json.loads((self._folder / "ports.json").read_text(encoding="utf-8"))[name]
        return port

    def _ports_usable(self, fallen: list[str]) -> bool:
        """Whether the ports of servers that do not run are still free for them."""
        owners = {"etcd": "etcd", "etcd-peer": "etcd", "kube-apiserver": "kube-apiserver"}
        return all(_is_free(self._port(port)) for port, owner in owners.items() if owner in fallen)

    def _answers(self, name: str) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self._port(name)), timeout=1).close()
        except OSError:
            return False
        return True

    def _ready(self) -> bool:
        if not self._made():
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
        """All servers, each after what it uses."""
        pki, folder = self._pki, self._folder

        def kubeconfig(client: str) -> str:
            return str(folder / f"{client}.kubeconfig")

        etcd, peer, api = (self._port(name) for name in ("etcd", "etcd-peer", "kube-apiserver"))
        commands = {
            "etcd": [
                f"--data-dir={folder / 'etcd'}",
                f"--listen-client-urls=https://127.0.0.1:{etcd}",
                f"--advertise-client-urls=https://127.0.0.1:{etcd}",
                f"--listen-peer-urls=https://127.0.0.1:{peer}",
                f"--initial-advertise-peer-urls=https://127.0.0.1:{peer}",
                f"--initial-cluster=default=https://127.0.0.1:{peer}",
                *(f"--{peer_or_not}cert-file={pki / 'etcd.crt'}" for peer_or_not in ("", "peer-")),
                *(f"--{peer_or_not}key-file={pki / 'etcd.key'}" for peer_or_not in ("", "peer-")),
                *(f"--{peer_or_not}trusted-ca-file={pki / 'ca.crt'}" for peer_or_not in ("", "peer-")),
                "--client-cert-auth",
                "--peer-client-cert-auth",
                # Throw-away data need not survive a power cut.
                "--unsafe-no-fsync",
                "--log-level=warn",
            ],
            "kube-apiserver": [
                "--bind-address=127.0.0.1",
                f"--secure-port={api}",
                # An address of documentation: pods of kwok never call it, and loopback is refused.
                "--advertise-address=192.0.2.1",
                "--endpoint-reconciler-type=none",
                f"--etcd-servers=https://127.0.0.1:{etcd}",
                f"--etcd-cafile={pki / 'ca.crt'}",
                f"--etcd-certfile={pki / 'apiserver.crt'}",
                f"--etcd-keyfile={pki / 'apiserver.key'}",
                f"--tls-cert-file={pki / 'apiserver.crt'}",
                f"--tls-private-key-file={pki / 'apiserver.key'}",
                f"--client-ca-file={pki / 'ca.crt'}",
                "--service-account-issuer=https://kubernetes.default.svc",
                f"--service-account-key-file={pki / 'service-account.key'}",
                f"--service-account-signing-key-file={pki / 'service-account.key'}",
                "--service-cluster-ip-range=10.96.0.0/16",
                "--authorization-mode=RBAC",
                # It would put a taint on each new node, which takes five seconds to go again.
                "--disable-admission-plugins=TaintNodesByCondition",
                "--allow-privileged",
                "--profiling=false",
            ],
            "kube-controller-manager": [
                f"--kubeconfig={kubeconfig('controller-manager')}",
                f"--service-account-private-key-file={pki / 'service-account.key'}",
                f"--root-ca-file={pki / 'ca.crt'}",
                "--use-service-account-credentials",
                # A new node is not scheduled to until the next look at it: soon, not after five seconds.
                "--node-monitor-period=1s",
                "--leader-elect=false",
                "--secure-port=0",
                "--profiling=false",
            ],
            "kube-scheduler": [
                f"--kubeconfig={kubeconfig('scheduler')}",
                "--leader-elect=false",
                "--secure-port=0",
                "--profiling=false",
            ],
            "kwok": [
                f"--kubeconfig={kubeconfig('kwok')}",
                f"--config={self._stages}",
                "--manage-all-nodes=false",
                "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
                # After a crash the nodes are taken over again when these leases have run out.
                "--node-lease-duration-seconds=10",
            ],
        }
        programs = self._layout.bin
        root, logs = self._layout.root, folder / "logs"
        return [Server(name, (str(programs / name), *flags), root, logs) for name, flags in commands.items()]


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
