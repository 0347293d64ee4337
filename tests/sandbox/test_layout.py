"""The paths and the environment of a sandbox."""

import os
import subprocess
from pathlib import Path

import pytest

from sandbox import layout
from sandbox.layout import Layout


def test_everything_is_in_one_folder_of_the_checkout(tmp_path: Path) -> None:
    paths = Layout(tmp_path)
    root = tmp_path / ".sandbox"
    assert paths.root == root
    assert {paths.bin, paths.cluster, paths.state, paths.kubeconfig} == {
        root / name for name in ("bin", "cluster", "state", "kubeconfig")
    }


def test_an_additional_cluster_has_a_folder_of_its_own_and_shares_the_programs(tmp_path: Path) -> None:
    paths, sandbox = Layout(tmp_path, "twin"), Layout(tmp_path)
    assert paths.root == sandbox.root / "twin"
    assert {paths.cluster, paths.state, paths.kubeconfig} == {
        paths.root / name for name in ("cluster", "state", "kubeconfig")
    }
    assert paths.bin == sandbox.bin


def test_the_cache_follows_xdg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert layout.cache() == Path("/caches/ml-platform")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/a")
    assert layout.cache() == Path("/home/a/.cache/ml-platform")


def test_a_shell_that_sources_the_env_file_has_the_environment(tmp_path: Path) -> None:
    paths = Layout(tmp_path / "a folder")
    paths.write_environment()
    script = f". '{paths.root}/env' && env"
    lines = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout.splitlines()
    assert {f"{name}={value}" for name, value in paths.environment().items()} <= set(lines)
    assert f"PATH={paths.bin}:{os.environ['PATH']}" in lines
