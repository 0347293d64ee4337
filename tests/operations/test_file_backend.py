"""The file backend: which stacks have resources, and what a killed Pulumi leaves behind."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from operations.file_backend import FileBackend
from tests.operations.conftest import FakePulumi, State

RESOURCES = [{"urn": "a"}]


def test_a_stack_with_resources_or_pending_operations_is_deployed(state: State) -> None:
    backend = FileBackend(state.folder)
    assert backend.deployed() == []
    state.write()
    assert backend.deployed() == []
    state.write(resources=RESOURCES)
    assert backend.deployed() == ["dev"]
    assert not backend.has_pending_operations("dev")
    state.write(pending_operations=[{"type": "creating"}])
    assert backend.deployed() == ["dev"]
    assert backend.has_pending_operations("dev")
    assert not backend.has_pending_operations("prod")


def test_an_incomplete_checkpoint_is_restored_from_its_backup(state: State, capsys: pytest.CaptureFixture[str]) -> None:
    state.write(resources=RESOURCES)
    complete = state.checkpoint.read_text(encoding="utf-8")
    state.checkpoint.rename(state.backup)
    state.checkpoint.write_text("", encoding="utf-8")
    assert FileBackend(state.folder).deployed() == ["dev"]
    assert state.checkpoint.read_text(encoding="utf-8") == complete
    assert "its checkpoint is incomplete: restoring the previous one" in capsys.readouterr().out


@pytest.mark.parametrize("backup", [None, "{"])
def test_an_incomplete_checkpoint_without_a_backup_is_deleted(
    backup: str | None, state: State, capsys: pytest.CaptureFixture[str]
) -> None:
    state.checkpoint.write_text("", encoding="utf-8")
    if backup is not None:
        state.backup.write_text(backup, encoding="utf-8")
    assert FileBackend(state.folder).deployed() == []
    assert not state.checkpoint.exists()
    assert "starting with an empty state" in capsys.readouterr().out


def test_a_complete_checkpoint_is_not_changed(state: State) -> None:
    state.write(resources=RESOURCES)
    state.backup.write_text("{}", encoding="utf-8")
    before = state.checkpoint.read_text(encoding="utf-8")
    assert FileBackend(state.folder).deployed() == ["dev"]
    assert state.checkpoint.read_text(encoding="utf-8") == before


@pytest.mark.parametrize("lock", ["", "{}", '{"pid": THIS}', '{"pid": 4194305}'])
def test_a_lock_without_a_running_pulumi_has_no_holder(lock: str, state: State) -> None:
    """Incomplete lock files, a process that is no pulumi, and one beyond the highest process ID."""
    backend = FileBackend(state.folder)
    assert not backend.is_locked("dev")
    state.lock(lock.replace("THIS", str(os.getpid())))
    assert backend.is_locked("dev")
    assert backend.lock_holder("dev") is None


def test_a_running_pulumi_holds_its_lock_and_may_be_writing(
    state: State, fake_pulumi: FakePulumi, tmp_path: Path
) -> None:
    fake_pulumi.behave("echo; sleep 60")
    state.checkpoint.write_text("", encoding="utf-8")
    with subprocess.Popen([fake_pulumi.program], stdout=subprocess.PIPE, start_new_session=True) as pulumi:
        try:
            assert pulumi.stdout is not None
            pulumi.stdout.readline()
            state.lock(json.dumps({"pid": pulumi.pid}))
            backend = FileBackend(state.folder)
            assert backend.lock_holder("dev") == pulumi.pid
            backend.restore_checkpoints()
            assert state.checkpoint.read_text(encoding="utf-8") == ""
        finally:
            os.killpg(pulumi.pid, 9)
