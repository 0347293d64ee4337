"""The Pulumi CLI: which commands are run, and what happens if one fails or was killed before."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from operations import pulumi_cli
from operations.file_backend import FileBackend
from operations.pulumi_cli import OperationError, PulumiCli
from tests.operations.conftest import FakePulumi, State

PROJECT = Path(__file__).resolve().parent.parent.parent
SELECT = "--non-interactive stack select --create --stack dev"
UP = "up --stack dev --yes --skip-preview"


def test_up_and_preview_select_the_stack_first(fake_pulumi: FakePulumi, tmp_path: Path) -> None:
    pulumi = PulumiCli(tmp_path)
    pulumi.up("dev")
    pulumi.preview("dev")
    assert fake_pulumi.calls() == [SELECT, UP, SELECT, "preview --stack dev"]


def test_commands_run_in_the_project_with_its_environment(
    fake_pulumi: FakePulumi, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    fake_pulumi.behave('echo "$PWD $KUBECONFIG"')
    (tmp_path / "project").mkdir()
    PulumiCli(tmp_path / "project", {"KUBECONFIG": "/kubeconfig"}).preview("dev")
    assert capfd.readouterr().out == f"{tmp_path / 'project'} /kubeconfig\n"


def test_destroy_keeps_the_configuration_and_skips_protected_objects(fake_pulumi: FakePulumi, tmp_path: Path) -> None:
    PulumiCli(tmp_path).destroy("dev")
    assert fake_pulumi.calls() == [
        "destroy --stack dev --yes --skip-preview --exclude-protected",
        "--non-interactive stack rm --yes --force --preserve-config --stack dev",
    ]


def test_a_stack_without_updates_has_no_history(fake_pulumi: FakePulumi, tmp_path: Path) -> None:
    fake_pulumi.behave("echo null")
    assert PulumiCli(tmp_path).history("dev") == []
    fake_pulumi.behave("echo '[{\"version\": 1}]'")
    assert PulumiCli(tmp_path).history("dev") == [{"version": 1}]


def test_an_error_of_a_captured_command_is_shown(fake_pulumi: FakePulumi, tmp_path: Path) -> None:
    fake_pulumi.behave("echo 'error: no such key' >&2; exit 255")
    with pytest.raises(OperationError, match="pulumi config failed:\nerror: no such key"):
        PulumiCli(tmp_path).configure("dev", "rm", "a.b")


def test_a_failed_deployment_refers_to_its_output(fake_pulumi: FakePulumi, tmp_path: Path) -> None:
    fake_pulumi.behave('[ "$1" != up ]; exit $?')
    with pytest.raises(OperationError, match="stack dev: pulumi up failed: see its output above"):
        PulumiCli(tmp_path).up("dev")


def test_up_recovers_from_a_killed_run(
    fake_pulumi: FakePulumi, state: State, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state.write(pending_operations=[{"type": "creating"}])
    state.lock("{}")
    PulumiCli(tmp_path, backend=FileBackend(state.folder)).up("dev")
    assert fake_pulumi.calls() == [
        SELECT,
        "--non-interactive cancel --yes --stack dev",
        "--non-interactive refresh --yes --skip-preview --clear-pending-creates --stack dev",
        UP,
    ]
    assert "stack dev: removing the lock of a run that was killed" in capsys.readouterr().out


def test_the_lock_of_a_running_pulumi_is_respected(
    fake_pulumi: FakePulumi, state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.lock(json.dumps({"pid": 4321}))
    monkeypatch.setattr(FileBackend, "lock_holder", lambda *_: 4321)
    with pytest.raises(OperationError) as error:
        PulumiCli(tmp_path, backend=FileBackend(state.folder)).destroy("dev")
    assert "stack dev: locked by another pulumi (process 4321)" in str(error.value)
    assert "pulumi cancel --yes --stack dev" in str(error.value)
    assert fake_pulumi.calls() == []


def test_a_shared_backend_is_not_recovered(fake_pulumi: FakePulumi, state: State, tmp_path: Path) -> None:
    state.lock("{}")
    PulumiCli(tmp_path, {"PULUMI_BACKEND_URL": f"file://{state.folder}"}).up("dev")
    assert fake_pulumi.calls() == [SELECT, UP]


def test_a_command_is_terminated_if_the_cluster_stops(
    fake_pulumi: FakePulumi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulumi_cli, "_WATCH_INTERVAL", 0.05)
    monkeypatch.setattr(pulumi_cli, "_STOP_TIMEOUT", 0.1)
    # It ignores the interrupt, and so does its child.
    fake_pulumi.behave('trap "" INT; [ "$1" = preview ] && { sleep 60 & echo $! > child; wait; }')
    child = tmp_path / "child"
    started = time.monotonic()
    with pytest.raises(OperationError) as error:
        PulumiCli(tmp_path, stopped_servers=lambda: ["etcd", "kwok"] if child.exists() else []).preview("dev")
    assert str(error.value).startswith("the cluster stopped during pulumi preview: etcd, kwok exited.\n")
    assert time.monotonic() - started < 10
    end = time.monotonic() + 5
    process_id = int(child.read_text(encoding="utf-8"))
    while _alive(process_id):
        assert time.monotonic() < end


def _alive(process_id: int) -> bool:
    try:
        return psutil.Process(process_id).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_ctrl_c_waits_until_pulumi_has_exited(fake_pulumi: FakePulumi, tmp_path: Path) -> None:
    # As pulumi does, it finishes what it has begun.
    fake_pulumi.behave('[ "$1" != preview ] || { trap "" INT; echo begun; sleep 2; echo finished; }')
    code = (
        "from pathlib import Path; from operations.pulumi_cli import PulumiCli\n"
        "try: PulumiCli(Path()).preview('dev')\n"
        "except KeyboardInterrupt: print('interrupted')"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        time.sleep(0.5)  # until the parent waits for it
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        assert process.stdout.read() == "finished\ninterrupted\n"
