"""Paths and pinned versions: ``.sandbox/`` of a checkout, and the cache that all checkouts of a user share."""

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

PULUMI_VERSION = "3.246.0"
PROVIDER_VERSION = "4.25.0"
KUBERNETES_VERSION = "1.37.2"

# Not a secret: a sandbox holds nothing worth protecting. The encryptionsalt of the stack files matches it.
PASSPHRASE = "sandbox"  # noqa: S105


class SandboxError(Exception):
    """An error that the user can act on. It is printed without a traceback."""


def cache() -> Path:
    """The folder of the toolchain and of Pulumi's plugins, shared by all checkouts of a user."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "ml-platform"


@dataclass(frozen=True)
class Layout:
    """The files of one checkout's sandbox, or of an additional cluster of the checkout."""

    project: Path
    name: str = ""
    """The name of an additional cluster. It has a folder, servers and ports of its own."""

    @property
    def home(self) -> Path:
        """The sandbox's folder. Git ignores it."""
        return self.project / ".sandbox"

    @property
    def root(self) -> Path:
        """The cluster's folder: that of the sandbox, or one in it."""
        return self.home / self.name if self.name else self.home

    @property
    def bin(self) -> Path:
        """The toolchain's programs, which all clusters share."""
        return self.home / "bin"

    @property
    def cluster(self) -> Path:
        """Data, certificates and logs of the cluster, deleted with it."""
        return self.root / "cluster"

    @property
    def state(self) -> Path:
        """The file backend that holds the stacks' state."""
        return self.root / "state"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig, with the context ``sandbox``."""
        return self.root / "kubeconfig"

    def environment(self) -> dict[str, str]:
        """The environment variables with which ``pulumi`` and ``kubectl`` use the sandbox."""
        return {
            "PATH": f"{self.bin}:{os.environ.get('PATH', os.defpath)}",
            "KUBECONFIG": str(self.kubeconfig),
            "PULUMI_BACKEND_URL": f"file://{self.state}",
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_HOME": str(cache() / "pulumi"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }

    def write_environment(self) -> None:
        """Write ``.sandbox/env``, which a shell can source."""
        lines = [f"export {name}={shlex.quote(value)}" for name, value in self.environment().items() if name != "PATH"]
        lines.append(f"export PATH={shlex.quote(str(self.bin))}:$PATH")
        self.state.mkdir(parents=True, exist_ok=True)
        (self.root / "env").write_text("\n".join(lines) + "\n", encoding="utf-8")
