"""The toolchain: what is built, which pulumi is used, and how programs are linked."""

import os
import subprocess
import sys
import threading
from collections import namedtuple
from pathlib import Path

import pytest
import yaml

from sandbox import toolchain
from sandbox.layout import PROVIDER_VERSION, PULUMI_VERSION, Layout, SandboxError
from sandbox.toolchain import Program, build
from tests.sandbox.conftest import Machine

PROGRAM = Program("kwok", {"kwok": "./kwok"})


@pytest.fixture(autouse=True)
def _machine(machine: Machine) -> None:
    """Every test runs on a machine of its own."""


def test_a_program_is_built_once(machine: Machine) -> None:
    home = build(PROGRAM)
    assert (home / "kwok").read_text(encoding="utf-8") == "program\n"
    assert build(PROGRAM) == home
    assert machine.builds() == 1
    assert machine.partial_builds() == []


def test_a_changed_module_or_linker_flag_is_built_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = PROGRAM.home()
    modules = tmp_path / "modules"
    (modules / "kwok").mkdir(parents=True)
    monkeypatch.setattr(toolchain, "MODULES", modules)
    (modules / "kwok" / "go.mod").write_text("module a\n", encoding="utf-8")
    first = PROGRAM.home()
    (modules / "kwok" / "go.mod").write_text("module b\n", encoding="utf-8")
    assert len({before, first, PROGRAM.home(), Program("kwok", {}, "-X a=b").home()}) == 4


def test_a_failed_build_leaves_no_files_and_can_be_repeated(machine: Machine) -> None:
    machine.fail_builds("main.go:1: syntax error\n")
    with pytest.raises(SandboxError):
        build(PROGRAM)
    assert machine.partial_builds() == []
    assert not PROGRAM.home().exists()
    machine.fix_builds()
    assert (build(PROGRAM) / "kwok").exists()


def test_low_disk_space_is_reported_before_a_build(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    usage = namedtuple("usage", "free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(3 << 30))
    build(PROGRAM)
    assert "3 GiB of disk space are free: the first build of all programs takes 14 GiB" in capsys.readouterr().out


def test_concurrent_checkouts_build_a_program_once(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    builders = [threading.Thread(target=build, args=(PROGRAM,)) for _ in range(4)]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join()
    assert machine.builds() == 1


def _install_pulumi(folder: Path, version: str, *, complete: bool = True) -> None:
    folder.mkdir(exist_ok=True)
    program = folder / "pulumi"
    program.write_text(f"#!/bin/sh\necho {version}\n", encoding="utf-8")
    program.chmod(0o755)
    if complete:
        (folder / "pulumi-language-python").touch()


@pytest.mark.parametrize("version", [f"v{PULUMI_VERSION}", "v3.999.1"])
def test_a_recent_pulumi_on_path_is_used(machine: Machine, version: str) -> None:
    _install_pulumi(machine.bin, version)
    assert toolchain._pulumi(Layout(machine.folder)) == {}
    assert machine.builds() == 0


@pytest.mark.parametrize(
    ("version", "complete", "reason"),
    [
        ("v3.100.0", True, "is version v3.100.0"),
        ("v4.0.0", True, "is version v4.0.0"),
        ("", True, "is version unknown"),
        ("v3.999.0", False, "has no pulumi-language-python next to it"),
    ],
)
def test_an_incompatible_pulumi_on_path_is_ignored_with_the_reason(
    machine: Machine, version: str, complete: bool, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _install_pulumi(machine.bin, version, complete=complete)
    assert toolchain._pulumi_on_path(Layout(machine.folder)) is None
    assert reason in capsys.readouterr().out


def test_an_unreachable_installer_is_given_up_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    # Nothing listens on this port.
    monkeypatch.setattr(toolchain, "_INSTALLER", "https://127.0.0.1:9/install.sh")
    assert toolchain._reachable() is False
    monkeypatch.setattr(subprocess, "run", _times_out)
    assert toolchain._reachable() is False


def _times_out(command: list[str], *, timeout: float, **_: object) -> None:
    assert timeout <= 10
    raise subprocess.TimeoutExpired(command, timeout)


def test_pulumi_is_built_from_source_if_the_installer_fails(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(toolchain, "_reachable", lambda: True)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert toolchain._installed_pulumi() is None
    assert "the installer failed: building from source" in capsys.readouterr().out
    assert machine.partial_builds() == []


_STAGES = (
    "node/fast/node-initialize",
    "node/heartbeat-with-lease/node-heartbeat-with-lease",
    "pod/fast/pod-ready",
    "pod/fast/pod-delete",
)


@pytest.fixture
def source(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files that are taken from the source code of dependencies. The installer is unreachable."""
    for name in _STAGES:
        file = machine.source / "kustomize" / "stage" / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"kind: {name}\n", encoding="utf-8")
    executor = machine.source / "python" / "cmd" / "pulumi-language-python-exec"
    executor.parent.mkdir(parents=True)
    executor.write_text("executor", encoding="utf-8")
    monkeypatch.setattr(toolchain, "_reachable", lambda: False)
    return machine.source


def test_install_links_all_programs_and_installs_the_provider(machine: Machine, source: Path) -> None:
    layout = Layout(machine.folder / "checkout")
    _install_pulumi(machine.bin, "v3.999.0")
    with (machine.bin / "pulumi").open("a", encoding="utf-8") as program:
        program.write(f'echo "$@" >> {machine.folder}/pulumi-calls\n')
    stages = toolchain.install(layout)
    assert {path.name for path in layout.bin.iterdir()} == {
        "control-plane", "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "kwok",
    }  # fmt: skip
    assert (layout.bin / "etcd").readlink() == Path("control-plane")
    kinds = [document.get("kind") for document in yaml.safe_load_all(stages.read_text(encoding="utf-8"))]
    assert kinds[:4] == list(_STAGES)
    assert set(kinds[4:]) == {"Stage"}
    assert (layout.root / "env").exists()
    command = (machine.folder / "pulumi-calls").read_text(encoding="utf-8").splitlines()[-1]
    assert command.startswith(f"plugin install resource kubernetes {PROVIDER_VERSION} --file {machine.programs}/")


def test_pulumi_is_built_with_its_language_host_without_any_other(machine: Machine, source: Path) -> None:
    programs = toolchain._pulumi(Layout(machine.folder))
    assert programs.keys() == {"pulumi", "pulumi-language-python", "pulumi-language-python-exec"}
    assert programs["pulumi-language-python-exec"].read_text(encoding="utf-8") == "executor"
    assert programs["pulumi-language-python-exec"].stat().st_mode & 0o777 == 0o755


def test_a_failed_installation_of_the_provider_is_reported(
    machine: Machine, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install_pulumi(machine.bin, "v3.999.0")
    (machine.bin / "pulumi").write_text("#!/bin/sh\necho error: no space >&2\nexit 1\n", encoding="utf-8")
    with pytest.raises(SandboxError, match="installation failed:\nerror: no space"):
        toolchain._install_provider(Layout(machine.folder))


def test_an_installed_provider_is_not_installed_again(machine: Machine) -> None:
    plugin = machine.programs.parent / "pulumi" / "plugins" / f"resource-kubernetes-v{PROVIDER_VERSION}"
    plugin.mkdir(parents=True)
    (plugin / "pulumi-resource-kubernetes").touch()
    toolchain._install_provider(Layout(machine.folder))
    assert machine.builds() == 0


def test_programs_are_hard_links_or_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_text("new", encoding="utf-8")
    target.write_text("old", encoding="utf-8")
    toolchain._link(source, target)
    assert target.stat().st_ino == source.stat().st_ino

    def fail(*_: object) -> None:
        raise OSError("another file system")

    monkeypatch.setattr(os, "link", fail)
    other = tmp_path / "other"
    toolchain._link(source, other)
    assert other.read_text(encoding="utf-8") == "new"


def test_concurrent_processes_link_the_same_programs(tmp_path: Path) -> None:
    source, folder = tmp_path / "source", tmp_path / "linked"
    source.write_text("program", encoding="utf-8")
    folder.mkdir()
    code = (
        "import sys; from pathlib import Path; from sandbox import toolchain\n"
        "source, folder = Path(sys.argv[1]), Path(sys.argv[2])\n"
        "for number in range(300):\n"
        "    toolchain._link(source, folder / f'program-{number}')\n"
        "    toolchain._alias(folder / f'program-{number}', folder / f'name-{number}')\n"
    )
    command = [sys.executable, "-c", code, str(source), str(folder)]
    running = [subprocess.Popen(command, cwd=toolchain.MODULES.parent.parent) for _ in range(4)]
    assert [process.wait(60) for process in running] == [0, 0, 0, 0]
    assert len(list(folder.iterdir())) == 600
