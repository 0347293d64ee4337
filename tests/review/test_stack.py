"""A stack, read through a stand-in for the Pulumi CLI."""

import io
import json
import subprocess
from pathlib import Path

import pytest

from review.preview import PreviewError
from review.stack import (
    CommandError,
    cluster_config,
    namespaces,
    node_pools_of_stack,
    preview_of_commit,
    preview_of_stack,
    read_preview,
)
from tests.review.prod import FILE, given, parsed
from tests.review.programs import first_on_path, stand_in

PULUMI = """
case "$*" in
  "preview --stack prod --json --show-sames --non-interactive") pwd >"$0.folder"; cat "$0.preview" ;;
  "stack export --stack prod") cat "$0.state" ;;
  "config --stack prod --json") cat "$0.config" ;;
  "config get kubernetes:context --stack prod") echo gpu-cluster ;;
  "config get kubernetes:kubeconfig --stack prod") printf 'clusters: []\\n\\n' ;;
  *) echo "error: unexpected: $*" >&2; exit 255 ;;
esac
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a stand-in for pulumi, which is found first."""
    stand_in(tmp_path, "pulumi", PULUMI)
    (tmp_path / "pulumi.preview").write_text(FILE.read_text(encoding="utf-8"), encoding="utf-8")
    first_on_path(tmp_path, monkeypatch)
    return tmp_path


def test_a_preview_is_run_in_the_folder_of_the_project(programs: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    assert preview_of_stack("prod", project) == parsed(given())
    assert (programs / "pulumi.folder").read_text(encoding="utf-8").strip() == str(project)


def test_a_preview_that_fails(programs: Path) -> None:
    with pytest.raises(PreviewError, match="unexpected: preview --stack none"):
        preview_of_stack("none", programs)


def test_a_preview_of_a_commit_is_run_in_a_temporary_worktree(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    subprocess.run(["git", "init", "--quiet"], check=True)
    subprocess.run(["git", *identity, "commit", "--quiet", "--allow-empty", "--message", "m"], check=True)
    assert preview_of_commit("HEAD", "prod") == parsed(given())
    folder = (programs / "pulumi.folder").read_text(encoding="utf-8").strip()
    assert folder.endswith("/base")
    assert not Path(folder).exists()
    listed = subprocess.run(["git", "worktree", "list"], check=True, capture_output=True, text=True).stdout
    assert listed.count("\n") == 1
    with pytest.raises(PreviewError, match=r"^nowhere cannot be checked out"):
        preview_of_commit("nowhere", "prod")


def test_a_preview_is_read_from_a_file_or_from_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_preview(str(FILE), "prod") == parsed(given())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(FILE.read_bytes())))
    assert read_preview("-", "prod") == parsed(given())


@pytest.mark.parametrize("content", [b'{"steps": 5}', '{"steps": []}'.encode("utf-16")], ids=["JSON", "UTF-16"])
def test_a_file_that_is_no_preview(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "preview.json"
    file.write_bytes(content)
    with pytest.raises(PreviewError, match=rf"^{file}: must be "):
        read_preview(str(file), "prod")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    with pytest.raises(PreviewError, match=r"^stdin: must be "):
        read_preview("-", "prod")


def test_node_pools_have_their_prices() -> None:
    assert node_pools_of_stack("prod")["gpu"]["hourlyCost"] == "0.71"
    assert node_pools_of_stack("none") == {}


def test_the_namespaces_of_a_stack(programs: Path) -> None:
    resources = [
        {"inputs": {"kind": "Namespace", "metadata": {"name": "ml-serving"}}},
        {"inputs": {"kind": "Job", "metadata": {"name": "a", "namespace": "ml-training"}}},
        {"inputs": {"kind": "ClusterRole", "metadata": {"name": "a"}}},
        {"inputs": {"run": {}}},
        {},
    ]
    (programs / "pulumi.state").write_text(json.dumps({"deployment": {"resources": resources}}), encoding="utf-8")
    assert namespaces("prod") == {"ml-serving", "ml-training"}


@pytest.mark.parametrize(
    ("settings", "config"),
    [
        ({}, {}),
        ({"kubernetes:context": {"value": "gpu-cluster"}}, {"kubernetes:context": "gpu-cluster"}),
        ({"kubernetes:kubeconfig": {"secret": True}}, {"kubernetes:kubeconfig": "clusters: []"}),
    ],
)
def test_the_configuration_of_the_cluster(settings: dict[str, object], config: dict[str, str], programs: Path) -> None:
    (programs / "pulumi.config").write_text(json.dumps({"other:token": {"secret": True}, **settings}), encoding="utf-8")
    assert cluster_config("prod") == config


def test_an_error_states_the_command_and_its_output(programs: Path) -> None:
    with pytest.raises(CommandError, match=r"^pulumi stack export --stack none: error: unexpected"):
        namespaces("none")


def test_a_program_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CommandError, match=r"^pulumi: .*No such file"):
        namespaces("prod")
    with pytest.raises(CommandError, match=r"^pulumi: .*No such file"):
        preview_of_stack("prod", tmp_path)


def test_a_call_has_a_time_limit(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(programs, "pulumi", "exec sleep 60")
    monkeypatch.setattr("review.stack._TIMEOUT", 0.2)
    monkeypatch.setattr("review.stack._PREVIEW_TIMEOUT", 0.2)
    with pytest.raises(CommandError, match="timed out"):
        preview_of_stack("prod", programs)
    with pytest.raises(CommandError, match="timed out"):
        namespaces("prod")
