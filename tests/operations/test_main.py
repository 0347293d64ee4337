"""The commands of ``python -m operations``: what they run, in which order."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from operations import __main__ as commands
from operations.file_backend import FileBackend
from operations.pulumi_cli import PulumiCli
from sandbox import nodes, toolchain
from sandbox.cluster import Cluster
from sandbox.layout import Layout

PROJECT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calls of the sandbox and of Pulumi, of which none is carried out, in a project with a dev stack."""
    recorded: list[str] = []

    def recorder(name: str, result: Any = None) -> Callable[..., Any]:
        def call(*arguments: Any, **_: Any) -> Any:
            recorded.append(" ".join([name, *(argument for argument in arguments if isinstance(argument, str))]))
            return result

        return call

    monkeypatch.setattr(toolchain, "install", recorder("install", tmp_path / "stages.yaml"))
    monkeypatch.setattr(nodes, "kubectl", lambda *_: recorded.append("ownership policy"))
    monkeypatch.setattr(nodes, "sync", lambda _, pools: recorded.append(f"nodes of {', '.join(pools)}"))
    for method in ("start", "remove"):
        monkeypatch.setattr(Cluster, method, recorder(f"cluster {method}"))
    monkeypatch.setattr(Cluster, "running", lambda _: True)
    for method in ("up", "preview", "destroy"):
        monkeypatch.setattr(PulumiCli, method, recorder(f"pulumi {method}"))
    monkeypatch.setattr(FileBackend, "deployed", lambda _: ["dev", "prod"])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Pulumi.dev.yaml").write_text(
        (PROJECT / "Pulumi.dev.yaml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    return recorded


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["operations", *arguments])
    return commands.main()


def test_up_destroys_other_stacks_while_their_nodes_exist(calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "up") == 0
    assert calls == [
        "install",
        "cluster start",
        "ownership policy",
        "pulumi destroy prod",
        "nodes of cpu",
        "pulumi up dev",
    ]


def test_preview_changes_no_stack(calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "preview", "--stack", "dev") == 0
    assert calls == ["install", "cluster start", "ownership policy", "nodes of cpu", "pulumi preview dev"]


@pytest.mark.parametrize("command", ["up", "preview", "rollback"])
def test_a_missing_stack_is_reported_before_anything_is_started(
    command: str, calls: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, command, "--stack", "test", "--service", "bert") == 1
    assert calls == []
    assert "Pulumi.test.yaml" in capsys.readouterr().err


def test_rollback_requires_a_service(calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit) as exit_status:
        run(monkeypatch, "rollback", "--service", "")
    assert exit_status.value.code == 2
    assert calls == []


@pytest.mark.parametrize("sandbox", [True, False])
def test_rollback_uses_the_environment_if_there_is_no_sandbox(
    sandbox: bool, calls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[PulumiCli] = []
    monkeypatch.setattr(commands, "rollback", lambda _, pulumi, *__: used.append(pulumi))
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/pulumi")
    if sandbox:
        Layout(tmp_path).cluster.mkdir(parents=True)
    assert run(monkeypatch, "rollback", "--service", "model-serving") == 0
    assert calls == (["install", "cluster start", "ownership policy", "nodes of cpu"] if sandbox else [])
    assert used[0]._environment == (Layout(tmp_path).environment() if sandbox else {})
    assert (used[0]._backend is not None) is sandbox


def test_rollback_needs_a_sandbox_or_pulumi(
    calls: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert run(monkeypatch, "rollback", "--service", "model-serving") == 1
    assert "run make up first" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("running", "expected"),
    [(True, ["pulumi destroy dev", "pulumi destroy prod", "cluster remove"]), (False, ["cluster remove"])],
)
def test_down_destroys_all_stacks_of_a_running_cluster(
    running: bool, expected: list[str], calls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Cluster, "running", lambda _: running)
    Layout(tmp_path).cluster.mkdir(parents=True)
    assert run(monkeypatch, "down") == 0
    assert calls == expected


def test_down_without_a_cluster_does_nothing(
    calls: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "down") == 0
    assert calls == []
    assert "cluster: not running" in capsys.readouterr().out
