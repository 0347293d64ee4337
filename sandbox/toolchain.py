"""The programs of the sandbox: taken where they are, installed where that works, else built.

``pulumi`` from PATH serves where it is new enough; next comes the SDK's own installer; where that
cannot be reached, and for Kubernetes itself, the official code is built from Go modules. Builds are
kept per user under the hash of what they are made of.
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
from sandbox.progress import say, step

MODULES = Path(__file__).resolve().parent / "programs"
# Measured: a cold build leaves 13 GiB in Go's own caches, and 0.7 GiB of programs.
_BUILD_SPACE = 14 << 30
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
        return store.programs() / f"{self.module}-{digest.hexdigest()[:16]}"


def _add_language_executor(target: Path) -> None:
    """The script that the language host starts programs with belongs to the SDK of the engine's version."""
    sdk = golang.folder_of(MODULES / "pulumi", "github.com/pulumi/pulumi/sdk/v3")
    executor = target / "pulumi-language-python-exec"
    shutil.copyfile(sdk / "python" / "cmd" / executor.name, executor)
    executor.chmod(0o755)


def _add_stages(target: Path) -> None:
    """kwok's own account of what happens to nodes and pods; ours of the rest."""
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
    """See to it that all programs are there, and return kwok's stages.

    Programs are linked into ``.sandbox/bin``; the provider becomes a plugin of Pulumi.
    """
    kubernetes = build(KUBERNETES)
    kwok = build(KWOK)
    links = {path.name: path for path in (*kubernetes.iterdir(), kwok / "kwok")} | _pulumi(layout)
    layout.bin.mkdir(parents=True, exist_ok=True)
    for name, source in links.items():
        _link(source, layout.bin / name)
    for name in CONTROL_PLANE:
        _name(layout.bin / "control-plane", layout.bin / name)
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
    home = store.programs() / f"pulumi-installed-{PULUMI_VERSION}"
    if home.is_dir():
        return home / "bin"
    if PULUMI.home().is_dir() or not _reachable():
        return None
    try:
        with store.making(home, "pulumi-installed") as folder:
            if folder is not None:
                _run_installer(folder)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        say("pulumi: the installer failed; building it instead")
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


def _warn_of_space() -> None:
    """Say that the disk may become full. It need not: much may be in Go's cache already."""
    free = shutil.disk_usage(cache()).free
    if free < _BUILD_SPACE:
        say(f"{free >> 30} GiB of disk are free: a first build of all programs takes {_BUILD_SPACE >> 30} GiB")


def _reachable() -> bool:
    """Whether the installer can be reached. In a process of its own: a name look-up heeds no time-out."""
    code = f"import urllib.request; urllib.request.urlopen({_INSTALLER!r}, timeout={_REACH_TIMEOUT}).read(1)"
    try:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=_REACH_TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _install_provider(layout: Layout) -> None:
    """Make the Kubernetes provider a plugin of Pulumi: as a release, else as built here."""
    plugins = cache() / "pulumi" / "plugins"
    if (plugins / f"resource-kubernetes-v{PROVIDER_VERSION}" / "pulumi-resource-kubernetes").exists():
        return
    if not PULUMI.home().is_dir() and _reachable() and _plugin_install(layout) is None:
        return
    problem = _plugin_install(layout, "--file", str(build(PROVIDER) / "pulumi-resource-kubernetes"))
    if problem is not None:
        raise SandboxError(f"the Kubernetes provider could not be installed:\n{problem}")


def _plugin_install(layout: Layout, *source: str) -> str | None:
    """Run ``pulumi plugin install``; returns what went wrong, None where nothing did."""
    command = ["pulumi", "plugin", "install", "resource", "kubernetes", PROVIDER_VERSION, *source]
    lock = store.locked(store.programs() / ".provider.lock", "Kubernetes provider: another checkout is at it")
    with lock, step(f"Kubernetes provider {PROVIDER_VERSION}: install"):
        environment = {**os.environ, **layout.environment()}
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, check=False, timeout=_INSTALL_TIMEOUT
            )
        except subprocess.TimeoutExpired:
            return f"no answer in {_INSTALL_TIMEOUT} s"
    return None if done.returncode == 0 else done.stderr.strip()


def build(program: Program) -> Path:
    """The folder with a program's finished build, made now where it is not there yet."""
    home = program.home()
    if not home.is_dir():
        with store.making(home, program.module) as folder:
            if folder is not None:
                _warn_of_space()
                for name, package in program.packages.items():
                    golang.build(program.folder, package, folder / name, program.flags)
                if program.finish is not None:
                    program.finish(folder)
    return home


def _link(source: Path, target: Path) -> None:
    """Put a program at a place: linked where the file system allows, else copied.

    A hard link, since a program looks for its helpers beside the file that it was started from.
    """
    if target.exists() and source.stat().st_ino == target.stat().st_ino:
        return
    temporary = _beside(target)
    try:
        os.link(source, temporary)
    except OSError:
        shutil.copy2(source, temporary)
    temporary.replace(target)
    # Where somebody else has linked the same file meanwhile, replacing it does nothing.
    temporary.unlink(missing_ok=True)


def _name(program: Path, target: Path) -> None:
    """Give a program that is whatever it is called as another name."""
    if not (target.is_symlink() and target.readlink() == Path(program.name)):
        temporary = _beside(target)
        temporary.symlink_to(program.name)
        temporary.replace(target)


def _beside(target: Path) -> Path:
    """A name to make a thing under before it takes its place: whole, and in nobody else's way."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    return temporary


def _version(text: str) -> tuple[int, ...]:
    match = re.search(r"([0-9]+)\.([0-9]+)(?:\.([0-9]+))?", text)
    return tuple(int(part) for part in match.groups() if part) if match else ()
