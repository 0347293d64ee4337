"""The commands of ``python -m sandbox``."""

import io
import json
import sys
from pathlib import Path

import pytest

from sandbox import __main__ as commands
from sandbox import nodes, toolchain
from sandbox.cluster import Cluster
from sandbox.layout import Layout
from sandbox.nodes import NodePools


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is started and stopped; nothing is."""
    recorded: list[str] = []

    def sync(_: Layout, pools: NodePools) -> None:
        recorded.append(f"nodes of {', '.join(pools) or 'no pools'}")

    monkeypatch.setattr(toolchain, "install", lambda _: tmp_path / "stages.yaml")
    monkeypatch.setattr(nodes, "sync", sync)
    monkeypatch.setattr(Cluster, "start", lambda _: recorded.append("start"))
    monkeypatch.setattr(Cluster, "remove", lambda _: recorded.append("remove"))
    monkeypatch.chdir(tmp_path)
    return recorded


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["sandbox", *arguments])
    return commands.main()


def test_start_without_node_pools_creates_no_nodes(calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "start") == 0
    assert calls == ["start", "nodes of no pools"]


def test_start_reads_node_pools_from_a_file_or_standard_input(
    calls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pools = json.dumps({"cpu": {}, "gpu": {}})
    (tmp_path / "pools.json").write_text(pools, encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", io.StringIO(pools))
    assert run(monkeypatch, "start", "--node-pools", "pools.json") == 0
    assert run(monkeypatch, "start", "--node-pools", "-") == 0
    assert calls == ["start", "nodes of cpu, gpu"] * 2


@pytest.mark.parametrize("text", [None, "", "no JSON"])
def test_unreadable_node_pools_are_reported_before_anything_is_started(
    text: str | None,
    calls: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if text is not None:
        (tmp_path / "pools.json").write_text(text, encoding="utf-8")
    assert run(monkeypatch, "start", "--node-pools", "pools.json") == 1
    assert calls == []
    assert "python -m config check STACK" in capsys.readouterr().err


def test_stop_removes_a_cluster_if_there_is_one(
    calls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "stop") == 0
    assert calls == []
    assert "cluster: not running" in capsys.readouterr().out
    Layout(tmp_path).cluster.mkdir()
    assert run(monkeypatch, "stop") == 0
    assert calls == ["remove"]
