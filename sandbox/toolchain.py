"""The sandbox's programs: found on PATH, installed, or built from source.

``pulumi`` is used from PATH if it is recent enough, otherwise installed by the SDK's installer. If the
installer is unreachable, it is built from its Go module, as Kubernetes always is. The user's cache
keeps each build under the hash of its inputs.
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sandbox import golang, store
from sandbox.layout import KUBERNETES_VERSION, PROVIDER_VERSION, PULUMI_VERSION, Layout, SandboxError, cache
from sandbox.progress import log, step

MODULES = Path(__file__).resolve().parent / "programs"
# In bytes, measured: a build with empty caches takes 13 GiB in Go's caches and 0.7 GiB for the programs.
_BUILD_SPACE = 14 << 30
# In seconds.
_REACH_TIMEOUT = 5
_INSTALL_TIMEOUT = 300
_INSTALLER = "https://get.pulumi.com/install.sh"


@dataclass(frozen=True)
class Program:
    """A Go module of ``programs/`` and the programs built from it."""

    module: str
    packages: dict[str, str]
    """The Go package of each program."""
    flags: str = ""
    """Linker flags, which set the version that the program reports."""
    finish: Callable[[Path], None] | None = None
    """Adds further files to the folder of the programs."""

    @property
    def folder(self) -> Path:
        """The module's folder."""
        return MODULES / self.module

    def home(self) -> Path:
        """The folder of the finished build, named by the hash of its inputs."""
        digest = hashlib.sha256(f"{platform.machine()} {self.flags}".encode())
        for file in sorted(path for path in self.folder.rglob("*") if path.is_file()):
            digest.update(file.relative_to(self.folder).as_posix().encode())
            digest.update(file.read_bytes())
        return store.programs() / f"{self.module}-{digest.hexdigest()[:16]}"


def _add_language_executor(target: Path) -> None:
    """Add the script with which the language host runs programs, from the SDK of the engine's version."""
    sdk = golang.folder_of(MODULES / "pulumi", "github.com/pulumi/pulumi/sdk/v3")
    executor = target / "pulumi-language-python-exec"
    shutil.copyfile(sdk / "python" / "cmd" / executor.name, executor)
    executor.chmod(0o755)


def _add_stages(target: Path) -> None:
    """Add kwok's stages: its standard stages of nodes and pods, and those of ``programs/kwok``."""
    module = MODULES / "kwok"
    stages = golang.folder_of(module, "sigs.k8s.io/kwok") / "kustomize" / "stage"
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
    """Install all programs, and return the file of kwok's stages.

    Programs are linked into ``.sandbox/bin``. The Kubernetes provider is installed as a Pulumi plugin.
    """
    stages = install_cluster(layout)
    for name, source in _pulumi(layout).items():
        _link(source, layout.bin / name)
    layout.write_environment()
    _install_provider(layout)
    return stages


def install_cluster(layout: Layout) -> Path:
    """Install the programs of a cluster only, and return the file of kwok's stages."""
    kubernetes = build(KUBERNETES)
    kwok = build(KWOK)
    layout.bin.mkdir(parents=True, exist_ok=True)
    for source in (*kubernetes.iterdir(), kwok / "kwok"):
        _link(source, layout.bin / source.name)
    for name in CONTROL_PLANE:
        _alias(layout.bin / "control-plane", layout.bin / name)
    return kwok / "stages.yaml"


def _pulumi(layout: Layout) -> dict[str, Path]:
    """Pulumi's programs to link. None if the ones on PATH are used."""
    found = _pulumi_on_path(layout)
    if found is not None:
        return {}
    installed = _installed_pulumi()
    if installed is not None:
        return {path.name: path for path in installed.iterdir()}
    programs = [build(PULUMI), build(PULUMI_PYTHON)]
    return {path.name: path for folder in programs for path in folder.iterdir()}


def _pulumi_on_path(layout: Layout) -> Path | None:
    """The pulumi on PATH, or None if there is none or it is not compatible."""
    folders = [folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if folder != str(layout.bin)]
    found = shutil.which("pulumi", path=os.pathsep.join(folders))
    if found is None:
        return None
    output = subprocess.run([found, "version"], capture_output=True, text=True, check=False).stdout
    version, required = _version(output), _version(PULUMI_VERSION)
    complete = (Path(found).resolve().parent / "pulumi-language-python").exists()
    if version[:1] != required[:1] or version < required or not complete:
        reason = f"is version {output.strip() or 'unknown'}" if complete else "has no pulumi-language-python next to it"
        log(f"pulumi: ignoring {found}: it {reason}; v{PULUMI_VERSION} or a later v{required[0]} is required")
        return None
    return Path(found)


def _installed_pulumi() -> Path | None:
    """The folder of the programs from the SDK's installer, or None if the installer is unreachable or fails."""
    home = store.programs() / f"pulumi-installed-{PULUMI_VERSION}"
    if home.is_dir():
        return home / "bin"
    if PULUMI.home().is_dir() or not _reachable():
        return None
    try:
        with store.create_once(home, "pulumi-installed") as folder:
            if folder is not None:
                _run_installer(folder)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        log("pulumi: the installer failed: building from source")
        return None
    return home / "bin"


def _run_installer(folder: Path) -> None:
    code = (
        "import sys, semver, pulumi.automation as automation\n"
        "automation.PulumiCommand.install(root=sys.argv[1], version=semver.VersionInfo.parse(sys.argv[2]))"
    )
    command = [sys.executable, "-c", code, str(folder), PULUMI_VERSION]
    with step(f"pulumi {PULUMI_VERSION}: install"):
        subprocess.run(command, check=True, capture_output=True, timeout=_INSTALL_TIMEOUT)


def _warn_about_space() -> None:
    """Warn if the disk may become full. The build continues, as Go's caches may already hold a part of it."""
    free = shutil.disk_usage(cache()).free
    if free < _BUILD_SPACE:
        log(f"{free >> 30} GiB of disk space are free: the first build of all programs takes {_BUILD_SPACE >> 30} GiB")


def _reachable() -> bool:
    """Whether the installer is reachable. Tried in a subprocess, as a DNS lookup ignores Python's timeouts."""
    code = f"import urllib.request; urllib.request.urlopen({_INSTALLER!r}, timeout={_REACH_TIMEOUT}).read(1)"
    try:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=_REACH_TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _install_provider(layout: Layout) -> None:
    """Install the Kubernetes provider as a Pulumi plugin: the release, or if it is unreachable a build from source."""
    plugins = cache() / "pulumi" / "plugins"
    if (plugins / f"resource-kubernetes-v{PROVIDER_VERSION}" / "pulumi-resource-kubernetes").exists():
        return
    if not PULUMI.home().is_dir() and _reachable() and _plugin_install(layout) is None:
        return
    error = _plugin_install(layout, "--file", str(build(PROVIDER) / "pulumi-resource-kubernetes"))
    if error is not None:
        raise SandboxError(f"Kubernetes provider {PROVIDER_VERSION}: installation failed:\n{error}")


def _plugin_install(layout: Layout, *source: str) -> str | None:
    """Run ``pulumi plugin install``. Returns its error, or None if it succeeds."""
    command = ["pulumi", "plugin", "install", "resource", "kubernetes", PROVIDER_VERSION, *source]
    lock = store.locked(store.programs() / ".provider.lock", "Kubernetes provider: wait for another checkout")
    with lock, step(f"Kubernetes provider {PROVIDER_VERSION}: install"):
        environment = {**os.environ, **layout.environment()}
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, check=False, timeout=_INSTALL_TIMEOUT
            )
        except subprocess.TimeoutExpired:
            return f"no response within {_INSTALL_TIMEOUT} s"
    return None if done.returncode == 0 else done.stderr.strip()


def build(program: Program) -> Path:
    """Build a program unless the cache has it, and return the folder of the build."""
    home = program.home()
    if not home.is_dir():
        with store.create_once(home, program.module) as folder:
            if folder is not None:
                _warn_about_space()
                for name, package in program.packages.items():
                    golang.build(program.folder, package, folder / name, program.flags)
                if program.finish is not None:
                    program.finish(folder)
    return home


def _link(source: Path, target: Path) -> None:
    """Create a hard link, or a copy if the file system does not allow it.

    A symbolic link would not do: a program looks for its helpers next to its own executable.
    """
    if target.exists() and source.stat().st_ino == target.stat().st_ino:
        return
    temporary = _temporary(target)
    try:
        os.link(source, temporary)
    except OSError:
        shutil.copy2(source, temporary)
    temporary.replace(target)
    # rename() does nothing if another process has linked the same file to the target.
    temporary.unlink(missing_ok=True)


def _alias(program: Path, target: Path) -> None:
    """Link another name to a program that selects its behavior by the name that it is run as."""
    if not (target.is_symlink() and target.readlink() == Path(program.name)):
        temporary = _temporary(target)
        temporary.symlink_to(program.name)
        temporary.replace(target)


def _temporary(target: Path) -> Path:
    """A file name in the target's folder that no other process uses, for replacing the target atomically."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    return temporary


def _version(text: str) -> tuple[int, ...]:
    match = re.search(r"([0-9]+)\.([0-9]+)(?:\.([0-9]+))?", text)
    return tuple(int(part) for part in match.groups() if part) if match else ()
