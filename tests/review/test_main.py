"""The command ``python -m review``."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.review.cluster.kubectl import Answers
from tests.review.prod import FILE, given
from tests.review.programs import stand_in
from tests.review.twin.api_server import ApiServer

CONTENT = "apiVersion: v1\nkind: Config\nclusters: []\nusers: [{name: u, user: {token: swordfish}}]\n"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "review", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    return done


def reviewed(kubeconfig: str | None, folder: Path) -> dict[str, Any]:
    """The review of a change of a stack with a kubeconfig."""
    preview = given()
    preview["config"]["kubernetes:context"] = "far"
    if kubeconfig is not None:
        preview["config"]["kubernetes:kubeconfig"] = kubeconfig
    (folder / "preview.json").write_text(json.dumps(preview), encoding="utf-8")
    done = run("--stack", "prod", "--preview", str(folder / "preview.json"), "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    assert "swordfish" not in done.stdout
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def unreachable(made: dict[str, Any]) -> str:
    """Why the cluster was not checked."""
    (note,) = made["notes"]
    assert (note["code"], note["values"]["reason"]["code"]) == ("cluster-not-checked", "unreachable")
    return str(note["values"]["reason"]["values"]["error"])


def test_the_cluster_of_the_stack_is_queried(answers: Answers, tmp_path: Path) -> None:
    answers(f'*readyz*) echo "$*" >>{tmp_path}/calls; cat "$4" >{tmp_path}/read; exit 1 ;;')
    file = tmp_path / "my.kubeconfig"
    file.write_text("mine", encoding="utf-8")
    for given_kubeconfig, content in ((str(file), "mine"), (CONTENT, CONTENT)):
        assert unreachable(reviewed(given_kubeconfig, tmp_path)) == "kubectl exited with status 1"
        assert (tmp_path / "read").read_text(encoding="utf-8") == content
    first, second = (tmp_path / "calls").read_text(encoding="utf-8").splitlines()
    assert first.startswith(f"--context far --kubeconfig {file} get ")
    assert not Path(second.split(" ")[3]).exists()  # it contains credentials
    reviewed(None, tmp_path)
    *_, third = (tmp_path / "calls").read_text(encoding="utf-8").splitlines()
    assert third.startswith("--context far get ")


@pytest.mark.parametrize("kubeconfig", ["[secret]", "/nowhere/swordfish", "{swordfish"])
def test_no_other_cluster_is_queried_if_the_kubeconfig_is_unusable(
    kubeconfig: str, answers: Answers, tmp_path: Path
) -> None:
    answers(f"*) touch {tmp_path}/called ;;")
    assert unreachable(reviewed(kubeconfig, tmp_path)).startswith("kubernetes:kubeconfig is ")
    assert not (tmp_path / "called").exists()


def test_offline_no_cluster_is_queried(answers: Answers, tmp_path: Path) -> None:
    answers(f"*) touch {tmp_path}/called ;;")
    done = run("--stack", "prod", "--preview", str(FILE), "--format", "json", "--offline")
    (note,) = json.loads(done.stdout)["notes"]
    assert note["values"]["reason"]["code"] == "not-queried"
    assert not (tmp_path / "called").exists()


def test_a_blocked_change_has_the_exit_status_1(tmp_path: Path) -> None:
    preview = {**given(), "diagnostics": [{"severity": "error", "message": "invalid"}]}
    (tmp_path / "preview.json").write_text(json.dumps(preview), encoding="utf-8")
    done = run("--stack", "prod", "--preview", str(tmp_path / "preview.json"), "--format", "json")
    assert (done.returncode, json.loads(done.stdout)["verdict"]) == (1, "blocked")


@pytest.mark.parametrize("command", ["page", "explain"])
def test_an_error_has_the_exit_status_2(
    command: str, tmp_path: Path, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # no pulumi
    done = run(command, "--stack", "prod")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("pulumi: ")


def test_a_file_that_is_no_preview_has_the_exit_status_2(tmp_path: Path) -> None:
    (tmp_path / "preview.json").write_text("{}", encoding="utf-8")
    done = run("--stack", "prod", "--preview", str(tmp_path / "preview.json"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"{tmp_path / 'preview.json'}: ")


def test_explain_has_no_markdown() -> None:
    done = run("explain", "--stack", "prod", "--format", "markdown")
    assert done.returncode == 2
    assert "--format" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["snapshot"], "requires --snapshot FILE"),
        (["--snapshot", "a"], "--snapshot: requires --twin"),
        (["--twin", "--offline"], "--twin: requires --snapshot FILE with --offline"),
    ],
)
def test_arguments_that_require_others(arguments: list[str], error: str) -> None:
    done = run("--stack", "prod", *arguments)
    assert done.returncode == 2
    assert error in done.stderr


def test_a_snapshot_is_written_with_a_list_of_what_it_lacks(live: ApiServer, tmp_path: Path) -> None:
    secrets = {"resource": "secrets", "responseKind": {"kind": "Secret"}, "scope": "Namespaced"}
    secrets["verbs"] = ["list", "create"]
    groups = [{"metadata": {}, "versions": [{"version": "v1", "resources": [secrets]}]}]
    live.answer(
        {"/version": {"gitVersion": "v1.37.2"}, "/api": {"items": groups}, "/apis": {"items": []}}
        | {"/api/v1/secrets?limit=500": [403, {"message": "forbidden"}]}
    )
    stand_in(tmp_path, "pulumi", "echo '{}'")
    file = tmp_path / "cluster.snapshot"
    done = run("snapshot", "--stack", "prod", "--snapshot", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"{file}: 0 objects of Kubernetes v1.37.2",
        "Not included: the Secrets and their keys are unknown: this user has no permission to check it",
    ]
    assert file.exists()


def test_a_cluster_that_cannot_be_read_is_a_note(answers: Answers, tmp_path: Path) -> None:
    answers("proxy*) echo 'no route to host' >&2; exit 1 ;;")
    done = run("--stack", "prod", "--preview", str(FILE), "--format", "json", "--twin")
    (note,) = [one for one in json.loads(done.stdout)["notes"] if one["code"] == "twin-not-started"]
    assert note["values"]["reason"]["values"]["error"] == "no route to host"


def test_a_file_that_is_no_snapshot_has_the_exit_status_2(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("{}", encoding="utf-8")
    snapshot = ("--twin", "--snapshot", str(tmp_path / "a"))
    done = run("--stack", "prod", "--preview", str(FILE), "--offline", *snapshot)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"{tmp_path / 'a'}: must be a file that")
