"""A stack, read through the Pulumi CLI: its preview, its namespaces, and the configuration of its cluster."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from review.preview import Preview, PreviewError, parse

# Seconds.
_TIMEOUT = 120
_PREVIEW_TIMEOUT = 1800


class CommandError(Exception):
    """A command failed, or exceeded its time limit."""


def preview_of_stack(stack: str, folder: Path) -> Preview:
    """Run a preview of a stack of the project in a folder. Raises PreviewError or CommandError if it fails."""
    command = ["pulumi", "preview", "--stack", stack, "--json", "--show-sames", "--non-interactive"]
    done = _run(command, folder, _PREVIEW_TIMEOUT)
    try:
        return parse(done.stdout, stack)
    except PreviewError:
        raise PreviewError(f"pulumi preview of stack {stack} failed:\n{(done.stderr or done.stdout).strip()}") from None


def preview_of_commit(ref: str, stack: str) -> Preview:
    """Run a preview of another commit, in a temporary worktree. Raises PreviewError or CommandError if it fails."""
    with tempfile.TemporaryDirectory() as folder:
        checkout = Path(folder) / "base"
        added = _run(["git", "worktree", "add", "--detach", str(checkout), ref])
        if added.returncode != 0:
            raise PreviewError(f"{ref} cannot be checked out: {added.stderr.strip()}")
        try:
            (checkout / ".venv").symlink_to(Path(sys.prefix))
            return preview_of_stack(stack, checkout)
        finally:
            _run(["git", "worktree", "remove", "--force", str(checkout)])


def read_preview(file: str, stack: str) -> Preview:
    """Read a preview from a file, or from stdin if it is ``-``. Raises PreviewError if it is invalid."""
    content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    try:
        return parse(content.decode("utf-8"), stack)
    except UnicodeDecodeError:
        error = "must be UTF-8 (some shells redirect output as UTF-16); without --preview, the review runs the preview"
    except PreviewError as invalid:
        error = str(invalid)
    raise PreviewError(f"{'stdin' if file == '-' else file}: {error}")


def node_pools_of_stack(stack: str) -> dict[str, dict[str, Any]]:
    """The node pools of a stack with their prices; empty if its file is invalid, which the preview reports."""
    done = _run([sys.executable, "-m", "config", "check", stack])
    pools: dict[str, dict[str, Any]] = json.loads(done.stdout) if done.returncode == 0 else {}
    return pools


def namespaces(stack: str) -> set[str]:
    """The namespaces in which a stack has objects, according to its state. Raises CommandError."""
    exported = json.loads(_pulumi("stack", "export", "--stack", stack))
    found: set[str] = set()
    for resource in exported["deployment"].get("resources") or []:
        inputs = resource.get("inputs") or {}
        metadata = inputs.get("metadata") or {}
        namespace = metadata.get("name") if inputs.get("kind") == "Namespace" else metadata.get("namespace")
        if isinstance(namespace, str):
            found.add(namespace)
    return found


def cluster_config(stack: str) -> dict[str, str]:
    """The configuration of a stack's cluster: ``kubernetes:context`` and ``kubernetes:kubeconfig``, if set.

    Raises CommandError.
    """
    settings = json.loads(_pulumi("config", "--stack", stack, "--json"))
    # Read one by one: the kubeconfig may be a secret, and no other secret of the stack is decrypted.
    return {
        key: _pulumi("config", "get", key, "--stack", stack).rstrip("\n")
        for key in ("kubernetes:context", "kubernetes:kubeconfig")
        if key in settings
    }


def _pulumi(*arguments: str) -> str:
    command = ["pulumi", *arguments]
    done = _run(command)
    if done.returncode != 0:
        raise CommandError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def _run(
    command: list[str], folder: Path | None = None, timeout: float | None = None
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=timeout or _TIMEOUT
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CommandError(f"{command[0]}: {error}") from None
