"""The flags of the servers of a cluster."""

from collections.abc import Mapping
from pathlib import Path

from sandbox.layout import Layout


def commands(layout: Layout, ports: Mapping[str, int], stages: Path | None) -> dict[str, list[str]]:
    """The flags of all servers, each after those that it depends on.

    ``stages`` is the file of kwok's stages.
    """
    folder, pki = layout.cluster, layout.cluster / "pki"

    def kubeconfig(client: str) -> str:
        return str(folder / f"{client}.kubeconfig")

    return {
        "etcd": [
            f"--data-dir={folder / 'etcd'}",
            f"--listen-client-urls=https://127.0.0.1:{ports['etcd']}",
            f"--advertise-client-urls=https://127.0.0.1:{ports['etcd']}",
            f"--listen-peer-urls=https://127.0.0.1:{ports['etcd-peer']}",
            f"--initial-advertise-peer-urls=https://127.0.0.1:{ports['etcd-peer']}",
            f"--initial-cluster=default=https://127.0.0.1:{ports['etcd-peer']}",
            *(f"--{prefix}cert-file={pki / 'etcd.crt'}" for prefix in ("", "peer-")),
            *(f"--{prefix}key-file={pki / 'etcd.key'}" for prefix in ("", "peer-")),
            *(f"--{prefix}trusted-ca-file={pki / 'ca.crt'}" for prefix in ("", "peer-")),
            "--client-cert-auth",
            "--peer-client-cert-auth",
            # Disposable data does not have to survive a power failure.
            "--unsafe-no-fsync",
            "--log-level=warn",
        ],
        "kube-apiserver": [
            "--bind-address=127.0.0.1",
            f"--secure-port={ports['kube-apiserver']}",
            # A documentation address (RFC 5737): loopback is invalid, and the pods of kwok never connect.
            "--advertise-address=192.0.2.1",
            "--endpoint-reconciler-type=none",
            f"--etcd-servers=https://127.0.0.1:{ports['etcd']}",
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
            # It adds a taint to each new node that takes five seconds to be removed.
            "--disable-admission-plugins=TaintNodesByCondition",
            "--allow-privileged",
            "--profiling=false",
        ],
        "kube-controller-manager": [
            f"--kubeconfig={kubeconfig('controller-manager')}",
            f"--service-account-private-key-file={pki / 'service-account.key'}",
            f"--root-ca-file={pki / 'ca.crt'}",
            "--use-service-account-credentials",
            # A new node becomes schedulable at the next check. The default is five seconds.
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
            f"--config={stages}",
            "--manage-all-nodes=false",
            "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
            # A restarted kwok manages the nodes again only after these leases have expired.
            "--node-lease-duration-seconds=10",
        ],
    }
