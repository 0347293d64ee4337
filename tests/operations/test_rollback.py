"""Rollback: which version it selects, and what it writes into the stack's file."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from config import StackError
from operations.pulumi_cli import OperationError, PulumiCli
from operations.rollback import Update, choose, rollback, updates


def entry(number: int, version: str, *, result: str = "succeeded", kind: str = "update", **more: Any) -> dict[str, Any]:
    """An entry of ``pulumi stack history --json``."""
    service = {"image": f"hub:5000/bert:{version}", "version": version, "replicas": number, **more}
    config = {"ml-platform:modelServices": {"value": json.dumps({"bert": service})}}
    return {"version": number, "kind": kind, "result": result, "startTime": "2026-01-01", "config": config}


def chosen(history: list[dict[str, Any]], to: str | None = None) -> int:
    return choose(updates(list(reversed(history)), "bert"), "bert", "prod", to).number


def test_the_default_is_the_last_version_before_the_current_one() -> None:
    history = [entry(1, "v1"), entry(2, "v2"), entry(3, "v2")]
    assert chosen(history) == 1
    assert chosen([*history, entry(4, "v1")]) == 3


def test_a_version_that_failed_is_not_selected() -> None:
    history = [entry(1, "v1"), entry(2, "v2", result="failed")]
    assert chosen(history) == 1
    assert chosen([*history, entry(3, "v3")]) == 1


def test_other_operations_and_updates_without_the_service_are_ignored() -> None:
    other = {"version": 3, "kind": "update", "result": "succeeded", "startTime": "", "config": {}}
    assert chosen([entry(1, "v1"), entry(2, "v2", kind="destroy"), other, entry(4, "v3")]) == 1


@pytest.mark.parametrize("more", [{"model": {"source": {"image": "m:2"}}}, {"args": ["--fast"]}, {"env": {"A": "1"}}])
def test_model_arguments_and_env_are_a_part_of_the_version(more: dict[str, Any]) -> None:
    assert chosen([entry(1, "v1"), entry(2, "v1", **more)]) == 1


@pytest.mark.parametrize("name", ["v1", "hub:5000/bert:v1", "1"])
def test_a_version_by_name(name: str) -> None:
    assert chosen([entry(1, "v1"), entry(2, "v2"), entry(3, "v3")], to=name) == 1


def test_the_latest_of_several_matching_updates_is_selected() -> None:
    assert chosen([entry(1, "v1"), entry(2, "v1", args=["--fast"]), entry(3, "v2")], to="v1") == 2


@pytest.mark.parametrize(
    ("history", "to", "message"),
    [
        ([], None, "bert: no update of stack prod has deployed it: nothing to roll back to"),
        (
            [entry(1, "v1")],
            None,
            "bert: stack prod has deployed no version other than v1 (hub:5000/bert:v1)\n"
            "  Deployed versions: v1 (hub:5000/bert:v1)",
        ),
        (
            [entry(1, "v1"), entry(2, "v2")],
            "v9",
            "bert: no successful update of stack prod matches 'v9'\n"
            "  TO= requires a model version, an image, an image tag or the number of an update. "
            "Deployed versions: v2 (hub:5000/bert:v2), v1 (hub:5000/bert:v1)",
        ),
        (
            [entry(1, "v1", result="failed"), entry(2, "v2", result="failed")],
            None,
            "bert: stack prod has deployed no version other than v2 (hub:5000/bert:v2)\n  Deployed versions: none",
        ),
    ],
)
def test_nothing_to_roll_back_to(history: list[dict[str, Any]], to: str | None, message: str) -> None:
    with pytest.raises(OperationError) as error:
        chosen(history, to)
    assert str(error.value) == message


def test_a_service_on_its_node_pools_image_matches_its_update_number_only() -> None:
    update = Update(7, "", succeeded=True, arguments={"replicas": 1})
    assert update.matches("7")
    assert not update.matches("None")
    assert update.version == {}


class FakeCli(PulumiCli):
    """Records what is changed, and answers with a history of two versions."""

    def __init__(self, folder: Path, current: dict[str, Any]) -> None:
        super().__init__(folder)
        self.calls: list[str] = []
        services = {"ml-platform:modelServices": {"bert": current}}
        (folder / "Pulumi.prod.yaml").write_text(yaml.safe_dump({"config": services}), encoding="utf-8")

    def history(self, _: str) -> list[dict[str, Any]]:
        return [entry(2, "v2"), entry(1, "v1", args=["--fast"], env={"A": "1", "B": "true"})]

    def configure(self, _: str, command: str, path: str, *arguments: str) -> None:
        self.calls.append(" ".join([command, path.removeprefix("ml-platform:modelServices.bert."), *arguments]))

    def up(self, stack: str) -> None:
        self.calls.append(f"up {stack}")


CURRENT = {"namespace": "ml", "image": "hub:5000/bert:v2", "version": "v2", "env": {"A": "0"}}


def test_the_version_is_written_into_the_stack_and_deployed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pulumi = FakeCli(tmp_path, CURRENT)
    rollback(tmp_path, pulumi, "prod", "bert", None)
    assert pulumi.calls == [
        "set image --type string -- hub:5000/bert:v1",
        "set version --type string -- v1",
        "set args[0] --type string -- --fast",
        "rm env",
        "set env.A --type string -- 1",
        "set env.B --type string -- true",
        "up prod",
    ]
    assert capsys.readouterr().out.splitlines() == [
        "  bert: rolling back to v1 (hub:5000/bert:v1), update 1 of 2026-01-01",
        "  Pulumi.prod.yaml: image: hub:5000/bert:v2 -> hub:5000/bert:v1",
        "  Pulumi.prod.yaml: version: v2 -> v1",
        # Arguments and environment variables may contain sensitive values.
        "  Pulumi.prod.yaml: args: restored from update 1",
        "  Pulumi.prod.yaml: env: restored from update 1",
        "  Pulumi.prod.yaml: changed: commit it",
    ]


def test_a_version_that_the_file_has_already_is_only_deployed(tmp_path: Path) -> None:
    version = {"image": "hub:5000/bert:v1", "version": "v1", "args": ["--fast"], "env": {"A": "1", "B": "true"}}
    pulumi = FakeCli(tmp_path, {"namespace": "ml", **version})
    rollback(tmp_path, pulumi, "prod", "bert", None)
    assert pulumi.calls == ["up prod"]


def test_an_invalid_stack_is_not_deployed(tmp_path: Path) -> None:
    pulumi = FakeCli(tmp_path, {**CURRENT, "replicas": 0})
    with pytest.raises(StackError, match="replicas"):
        rollback(tmp_path, pulumi, "prod", "bert", None)
    assert "up prod" not in pulumi.calls


def test_an_unknown_service_is_reported_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(OperationError) as error:
        rollback(tmp_path, FakeCli(tmp_path, CURRENT), "prod", "bart", None)
    assert str(error.value) == (
        "Pulumi.prod.yaml: ml-platform:modelServices.bart: no such model service\n"
        "  the model services of stack prod: bert"
    )
