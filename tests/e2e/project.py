"""A copy of this project with its own sandbox, and the commands that a user runs in it."""

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

from operations.__main__ import OWNERSHIP_POLICY
from sandbox import servers
from sandbox.layout import Layout

SOURCE = Path(__file__).resolve().parent.parent.parent

Edit = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Project:
    """A working copy, whose files can be edited, and its commands."""

    folder: Path

    @classmethod
    def copy(cls, folder: Path) -> "Project":
        """Copy the files that git would commit. The virtual environment is shared."""
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

    def operations(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``python -m operations``, as make does."""
        return self.run(sys.executable, "-m", "operations", *arguments, timeout=300)

    def up(self, stack: str = "dev") -> str:
        """Run ``make up``, which must succeed. Returns its output."""
        done = self.operations("up", "--stack", stack)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, stack: str = "dev") -> subprocess.CompletedProcess[str]:
        """Run ``python -m sandbox start`` with the node pools of a stack."""
        checked = self.run(sys.executable, "-m", "config", "check", stack)
        assert checked.returncode == 0, checked.stderr
        (self.folder / "node-pools.json").write_text(checked.stdout, encoding="utf-8")
        started = self.run(sys.executable, "-m", "sandbox", "start", "--node-pools", "node-pools.json", timeout=300)
        if started.returncode != 0:
            return started
        return self.run("kubectl", "apply", "-f", str(OWNERSHIP_POLICY))

    def stop(self) -> subprocess.CompletedProcess[str]:
        """Run ``python -m sandbox stop``."""
        return self.run(sys.executable, "-m", "sandbox", "stop")

    def processes(self) -> dict[str, psutil.Process]:
        """The running servers, by name."""
        return servers.running(self.layout.root)

    def listening(self) -> set[tuple[str, int]]:
        """The addresses and ports on which the servers listen."""
        connections = [c for process in self.processes().values() for c in process.net_connections("inet")]
        return {(c.laddr.ip, c.laddr.port) for c in connections if c.status == psutil.CONN_LISTEN}

    def run(self, *command: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a command with the environment of a shell that has sourced .sandbox/env."""
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
        """The prefix of a command that runs with the permissions of review/rbac.yaml only."""
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
        """A stack, created if it does not exist."""
        return Stack(self, name).created()

    def edit(self, stack: str, change: Edit) -> None:
        """Edit the settings in a stack's file."""
        path = self.folder / f"Pulumi.{stack}.yaml"
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        settings = {key.split(":", 1)[1]: value for key, value in content["config"].items()}
        change(settings)
        content["config"] = {f"ml-platform:{key}": value for key, value in settings.items()}
        path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")

    def configure(self, stack: str, **settings: Any) -> None:
        """Write the settings of a stack's file. The keys that Pulumi has written, such as encryptionsalt, are kept."""
        path = self.folder / f"Pulumi.{stack}.yaml"
        content = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
        content["config"] = {f"ml-platform:{key}": value for key, value in settings.items()}
        path.write_text(yaml.safe_dump(content), encoding="utf-8")

    def restore(self, stack: str) -> None:
        """Undo all edits of a stack's file."""
        name = f"Pulumi.{stack}.yaml"
        shutil.copy2(SOURCE / name, self.folder / name)

    def get(self, kind: str, name: str = "", namespace: str = "") -> Any:
        """An object, or the list of all objects of a kind."""
        scope = ["-n", namespace] if namespace else ["-A"] if not name else []
        done = self.run("kubectl", "get", kind, *([name] if name else []), *scope, "-o", "json")
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
    """A stack and its commands. Each must succeed, and returns its output."""

    project: Project
    name: str

    def created(self) -> "Stack":
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
        """All resources in the stack's state."""
        found: list[dict[str, Any]] = json.loads(self.pulumi("stack", "export"))["deployment"]["resources"]
        return found

    def pulumi(self, *arguments: str) -> str:
        done = self.project.run("pulumi", *arguments, "--stack", self.name, "--non-interactive", timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def reports(output: str, path: str, code: str, stack: str = "prod") -> bool:
    """Whether an output reports an error with this code at a path of the stack's configuration."""
    lines = [line for line in output.splitlines() if f"Pulumi.{stack}.yaml: ml-platform:{path}: " in line]
    return any(line.rstrip().endswith(f" [{code}]") for line in lines)


def changes(output: str) -> dict[str, int]:
    """The last summary in Pulumi's output: the number of resources by operation, such as created or updated."""
    summaries = re.findall(r"^Resources:\n((?: .+\n)+)", output, re.MULTILINE)
    counts = re.findall(r"(\d+) (created|updated|replaced|deleted)", summaries[-1]) if summaries else []
    assert summaries, output
    return {operation: int(count) for count, operation in counts}
