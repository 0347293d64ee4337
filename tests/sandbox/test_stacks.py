"""What a killed Pulumi leaves in the state, and how it is fixed."""

import json
from pathlib import Path

import pytest

from sandbox.layout import Layout
from sandbox.stacks import Stacks

WHOLE = {"checkpoint": {"latest": {"resources": [{"urn": "a"}]}}}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The dev stack's file in a state that was cut off."""
    folder = Layout(tmp_path).state / ".pulumi" / "stacks" / "ml-platform"
    folder.mkdir(parents=True)
    (folder / "dev.json").write_text("", encoding="utf-8")
    return folder / "dev.json"


def stacks(tmp_path: Path) -> Stacks:
    return Stacks(Layout(tmp_path), fallen=list)


def test_a_state_that_was_cut_off_goes_back_one_step(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.with_name("dev.json.bak").write_text(json.dumps(WHOLE), encoding="utf-8")
    assert stacks(tmp_path).deployed() == ["dev"]
    assert json.loads(file.read_text(encoding="utf-8")) == WHOLE
    assert "going back to the one before" in capsys.readouterr().out


@pytest.mark.parametrize("backup", [None, "{"])
def test_without_a_step_before_it_starts_anew(
    backup: str | None, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if backup is not None:
        file.with_name("dev.json.bak").write_text(backup, encoding="utf-8")
    assert stacks(tmp_path).deployed() == []
    assert not file.exists()
    assert "starting anew" in capsys.readouterr().out


def test_a_whole_state_is_left_alone(file: Path, tmp_path: Path) -> None:
    file.write_text(json.dumps(WHOLE), encoding="utf-8")
    file.with_name("dev.json.bak").write_text("{}", encoding="utf-8")
    assert stacks(tmp_path).deployed() == ["dev"]
    assert json.loads(file.read_text(encoding="utf-8")) == WHOLE
