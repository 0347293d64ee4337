"""Scanners, as a platform team runs them: Checkov and kube-score for manifests, actionlint for workflows.

A test installs them when it needs them, outside the virtual environment: Checkov has a hundred dependencies, which
would constrain the versions of the project's.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from sandbox import store, toolchain

_LOCK = Path(__file__).resolve().parent / "requirements-checkov.txt"
"""Written by: echo checkov | uv pip compile --universal --generate-hashes --no-annotate --no-header - -o FILE."""

_KUBE_SCORE = toolchain.Program("kube-score", {"kube-score": "github.com/zegl/kube-score/cmd/kube-score"})
_ACTIONLINT = toolchain.Program("actionlint", {"actionlint": "github.com/rhysd/actionlint/cmd/actionlint"})


def checkov(manifests: Path) -> subprocess.CompletedProcess[str]:
    """Run all of Checkov's checks for Kubernetes manifests. Nothing is downloaded."""
    home = store.programs() / f"checkov-{hashlib.sha256(_LOCK.read_bytes() + sys.version.encode()).hexdigest()[:16]}"
    if not home.is_dir():
        with store.create_once(home, "checkov") as folder:
            if folder is not None:
                command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
                subprocess.run([*command, "--target", str(folder), "-r", str(_LOCK)], check=True)
    options = ("--framework", "kubernetes", "--skip-download", "--output", "json", "--file", str(manifests))
    return _run([sys.executable, "-W", "ignore", "-m", "checkov.main", *options], PYTHONPATH=str(home))


def kube_score(manifests: Path) -> subprocess.CompletedProcess[str]:
    """Run all of kube-score's checks, including the optional ones."""
    program = toolchain.build(_KUBE_SCORE) / "kube-score"
    return _run([str(program), "score", "--output-format", "ci", str(manifests)])


def actionlint(*workflows: Path) -> subprocess.CompletedProcess[str]:
    """Check workflows of GitHub Actions. The external linters for shell and Python are disabled."""
    program = toolchain.build(_ACTIONLINT) / "actionlint"
    return _run([str(program), "-shellcheck=", "-pyflakes=", *map(str, workflows)])


def _run(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=300
    )
