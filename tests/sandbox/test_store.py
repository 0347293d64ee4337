"""The cache of finished builds, and its locks."""

import threading
from collections import namedtuple
from pathlib import Path

import pytest

from sandbox import store
from sandbox.layout import SandboxError
from tests.sandbox.conftest import Machine


def test_an_entry_is_created_once(machine: Machine) -> None:
    entry = machine.programs / "go-1"
    with store.create_once(entry, "go") as folder:
        assert folder is not None
        assert not entry.exists()
        (folder / "go").touch()
    assert (entry / "go").exists()
    with store.create_once(entry, "go") as folder:
        assert folder is None


def test_an_error_leaves_neither_an_entry_nor_a_partial_one(machine: Machine) -> None:
    entry = machine.programs / "go-1"
    with pytest.raises(ValueError, match="broken"), store.create_once(entry, "go"):
        raise ValueError("broken")
    assert not entry.exists()
    assert machine.partial_builds() == []


def test_the_partial_entry_of_a_killed_process_is_deleted_by_the_next(machine: Machine) -> None:
    partial = machine.programs / ".partial-go-abc"
    partial.mkdir(parents=True)
    with store.create_once(machine.programs / "go-1", "go"):
        assert not partial.exists()


def test_a_second_holder_of_a_lock_waits_and_shows_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events: list[str] = []

    def second() -> None:
        with store.locked(tmp_path / "lock", "wait for the first"):
            events.append("second")

    waiter = threading.Thread(target=second)
    with store.locked(tmp_path / "lock", "never shown"):
        waiter.start()
        waiter.join(0.2)
        assert waiter.is_alive()
        events.append("first")
    waiter.join(5)
    assert events == ["first", "second"]
    assert capsys.readouterr().out.startswith("  wait for the first: done")


def test_too_little_disk_space_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(512 << 20))
    store.check_space(tmp_path, 512 << 20, "a cluster")
    with pytest.raises(SandboxError, match="has 512 MiB free; a cluster requires 1024 MiB"):
        store.check_space(tmp_path, 1 << 30, "a cluster")
