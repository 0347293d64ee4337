"""Scanners, as a platform team runs them: Checkov and kube-score of manifests, actionlint of workflows.

They are installed when a test asks for them: Checkov brings a hundred packages, which would rule
the versions of our own.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from sandbox import store, toolchain

_LOCK = Path(__file__).resolve().parent / "requirements-checkov.txt"
"""Made by: echo checkov | uv pip compile --universal --generate-hashes --no-annotate --no-header - -o FILE."""

_KUBE_SCORE = toolchain.Program("kube-score", {"kube-score": "github.com/zegl/kube-score/cmd/kube-score"})
_ACTIONLINT = toolchain.Program("actionlint", {"actionlint": "github.com/rhysd/actionlint/cmd/actionlint"})


def checkov(manifests: Path) -> subprocess.CompletedProcess[str]:
    """Run all of Checkov's checks of Kubernetes manifests, with nothing fetched from anywhere."""
    home = store.programs() / f"checkov-{hashlib.sha256(_LOCK.read_bytes() + sys.version.encode()).hexdigest()[:16]}"
    if not home.is_dir():
        with store.create_once(home, "checkov") as folder:
            if folder is not None:
                command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
                subprocess.run([*command, "--target", str(folder), "-r", str(_LOCK)], check=True)
    options = ("--framework", "kubernetes", "--skip-download", "--output", "json", "--file", str(manifests))
    return _run([sys.executable, "-W", "ignore", "-m", "checkov.main", *options], PYTHONPATH=str(home))


def kube_score(manifests: Path) -> subprocess.CompletedProcess[str]:
    """Run all of kube-score's checks, the optional ones too."""
    program = toolchain.build(_KUBE_SCORE) / "kube-score"
    return _run([str(program), "score", "--output-format", "ci", str(manifests)])


def actionlint(*workflows: Path) -> subprocess.CompletedProcess[str]:
    """Check workflows of GitHub Actions, without the linters of shell and Python that a machine may have."""
    program = toolchain.build(_ACTIONLINT) / "actionlint"
    return _run([str(program), "-shellcheck=", "-pyflakes=", *map(str, workflows)])


def _run(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=300
    )
