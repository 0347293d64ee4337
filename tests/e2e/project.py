"""A copy of this project with a sandbox of its own, worked on as a user does."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml

from sandbox import servers
from sandbox.layout import Layout

SOURCE = Path(__file__).resolve().parent.parent.parent

Edit = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Project:
    """A working copy: files that may be edited, and the commands that a user types."""

    folder: Path

    @classmethod
    def copy(cls, folder: Path) -> "Project":
        """Copy what git would commit; the Python environment is shared."""
        listing = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=SOURCE,
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for name in filter(None, listing.split("\0")):
            if (SOURCE / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(SOURCE / name, folder / name)
        (folder / ".venv").symlink_to(Path(sys.prefix))
        return cls(folder)

    @property
    def layout(self) -> Layout:
        return Layout(self.folder)

    def environment(self) -> dict[str, str]:
        return {**os.environ, **self.layout.environment()}

    def sandbox(self, *arguments: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        """Run ``python -m sandbox``, as make does."""
        return self.run(sys.executable, "-m", "sandbox", *arguments, timeout=timeout)

    def up(self, stack: str = "dev") -> str:
        """``make up``, which has to go well; returns what it prints."""
        done = self.sandbox("up", "--stack", stack)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def processes(self) -> dict[str, psutil.Process]:
        """The servers that run."""
        return servers.running(self.layout.root)

    def listening(self) -> set[tuple[str, int]]:
        """Where the servers listen."""
        connections = [c for process in self.processes().values() for c in process.net_connections("inet")]
        return {(c.laddr.ip, c.laddr.port) for c in connections if c.status == psutil.CONN_LISTEN}

    def run(self, *command: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a command as a shell that has sourced .sandbox/env does."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=timeout,
            check=False,
        )

    def reviewer(self) -> tuple[str, ...]:
        """What goes before a command to run it with the rights of review/rbac.yaml alone."""
        subject = {"kind": "ServiceAccount", "name": "reviewer", "namespace": "default"}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "ml-platform-preview"}
        binding = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "reviewer"},
            "roleRef": role,
            "subjects": [subject],
        }
        metadata = {"name": "reviewer", "namespace": "default"}
        for manifest in ({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}, binding):
            assert self.apply(manifest).returncode == 0
        assert self.run("kubectl", "apply", "-f", "review/rbac.yaml").returncode == 0
        token = self.run("kubectl", "create", "token", "reviewer", "-n", "default").stdout
        kubeconfig = yaml.safe_load(self.layout.kubeconfig.read_text(encoding="utf-8"))
        kubeconfig["users"][0]["user"] = {"token": token}
        path = self.folder / "reviewer.kubeconfig"
        path.write_text(yaml.safe_dump(kubeconfig), encoding="utf-8")
        return ("env", f"KUBECONFIG={path}")

    def stack(self, name: str) -> "Stack":
        """The stack, made if it is not there."""
        return Stack(self, name).made()

    def edit(self, stack: str, change: Edit) -> None:
        """Change a stack's settings, as a user does in an editor."""
        path = self.folder / f"Pulumi.{stack}.yaml"
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        settings = {key.split(":", 1)[1]: value for key, value in content["config"].items()}
        change(settings)
        content["config"] = {f"ml-platform:{key}": value for key, value in settings.items()}
        path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")

    def configure(self, stack: str, **settings: Any) -> None:
        """Write a stack's file; what Pulumi itself has written there stays."""
        path = self.folder / f"Pulumi.{stack}.yaml"
        content = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
        content["config"] = {f"ml-platform:{key}": value for key, value in settings.items()}
        path.write_text(yaml.safe_dump(content), encoding="utf-8")

    def restore(self, stack: str) -> None:
        """Take back all edits of a stack's file."""
        name = f"Pulumi.{stack}.yaml"
        shutil.copy2(SOURCE / name, self.folder / name)

    def get(self, kind: str, name: str = "", namespace: str = "") -> Any:
        """What the API server says of an object, or of all of a kind."""
        where = ["-n", namespace] if namespace else ["-A"] if not name else []
        done = self.run("kubectl", "get", kind, *([name] if name else []), *where, "-o", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def names(self, kind: str, namespace: str) -> list[str]:
        return [item["metadata"]["name"] for item in self.get(kind, namespace=namespace)["items"]]

    def apply(self, manifest: Mapping[str, Any], *flags: str) -> subprocess.CompletedProcess[str]:
        """Create an object with kubectl."""
        return subprocess.run(
            ["kubectl", "create", *flags, "-f", "-"],
            cwd=self.folder,
            env=self.environment(),
            input=json.dumps(manifest),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


@dataclass(frozen=True)
class Stack:
    """A stack, by the commands that a user types; each has to go well, and returns what it prints."""

    project: Project
    name: str

    def made(self) -> "Stack":
        self.pulumi("stack", "select", "--create")
        return self

    def up(self, *flags: str) -> str:
        return self.pulumi("up", "--yes", "--skip-preview", *flags)

    def preview(self, *flags: str) -> str:
        return self.pulumi("preview", *flags)

    def refresh(self, *flags: str) -> str:
        return self.pulumi("refresh", "--yes", "--skip-preview", *flags)

    def destroy(self) -> str:
        return self.pulumi("destroy", "--yes", "--skip-preview")

    def outputs(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.pulumi("stack", "output", "--json"))
        return found

    def resources(self) -> list[dict[str, Any]]:
        """All resources of its state."""
        found: list[dict[str, Any]] = json.loads(self.pulumi("stack", "export"))["deployment"]["resources"]
        return found

    def pulumi(self, *words: str) -> str:
        done = self.project.run("pulumi", *words, "--stack", self.name, "--non-interactive", timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def changes(output: str) -> dict[str, int]:
    """What Pulumi did last to how many resources, by its own summary: "created", "updated", ..."""
    summaries = re.findall(r"^Resources:\n((?: .+\n)+)", output, re.MULTILINE)
    counts = re.findall(r"(\d+) (created|updated|replaced|deleted)", summaries[-1]) if summaries else []
    assert summaries, output
    return {what: int(count) for count, what in counts}
