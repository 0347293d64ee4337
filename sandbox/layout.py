"""Where things lie: per checkout in ``.sandbox/``, per user in a cache."""

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

PULUMI_VERSION = "3.246.0"
PROVIDER_VERSION = "4.25.0"
KUBERNETES_VERSION = "1.37.2"

# The sandbox's secrets are as disposable as itself: the stack files hold the salt that belongs to it.
PASSPHRASE = "sandbox"  # noqa: S105


class SandboxError(Exception):
    """Something that the user has to know or do: told without a traceback."""


def cache() -> Path:
    """The folder of what is built once a user: the toolchain, and Pulumi's plugins."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "ml-platform"


@dataclass(frozen=True)
class Layout:
    """The files of one checkout's sandbox."""

    project: Path

    @property
    def root(self) -> Path:
        """The sandbox's folder, ignored by git."""
        return self.project / ".sandbox"

    @property
    def bin(self) -> Path:
        """The programs."""
        return self.root / "bin"

    @property
    def cluster(self) -> Path:
        """All that is the cluster: gone with it."""
        return self.root / "cluster"

    @property
    def state(self) -> Path:
        """Pulumi's file backend."""
        return self.root / "state"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's way in; its context is called sandbox."""
        return self.root / "kubeconfig"

    def environment(self) -> dict[str, str]:
        """The variables that make plain ``pulumi`` and ``kubectl`` use the sandbox."""
        return {
            "PATH": f"{self.bin}:{os.environ.get('PATH', os.defpath)}",
            "KUBECONFIG": str(self.kubeconfig),
            "PULUMI_BACKEND_URL": f"file://{self.state}",
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_HOME": str(cache() / "pulumi"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }

    def write_environment(self) -> None:
        """Write ``.sandbox/env``, for a shell to source."""
        lines = [f"export {name}={shlex.quote(value)}" for name, value in self.environment().items() if name != "PATH"]
        lines.append(f"export PATH={shlex.quote(str(self.bin))}:$PATH")
        self.state.mkdir(parents=True, exist_ok=True)
        (self.root / "env").write_text("\n".join(lines) + "\n", encoding="utf-8")
