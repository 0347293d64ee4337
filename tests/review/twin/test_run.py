"""The trial for the command."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from urllib3.exceptions import ProtocolError

from review import twin_messages as messages
from review.preview import Preview, Step
from review.twin import run as module
from review.twin.client import ApiError
from review.twin.report import TwinReport
from review.twin.run import run
from review.twin.snapshot import Snapshot
from sandbox.layout import SandboxError

SNAPSHOT = Snapshot((), "v1.37.2", {})
NOTE, OTHER = messages.FINALIZERS_NOT_COPIED(finalizers="a"), messages.NOT_PLAYED(target="b", reason="c")


def deployment(name: str) -> dict[str, Any]:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "ml"}, "spec": {}}


def preview() -> Preview:
    steps = (
        Step("same", "a", "", deployment("a"), deployment("a"), {}),
        Step("create", "b", "", None, deployment("b"), {}),
        Step("delete", "c", "", deployment("c"), None, {}),
    )
    return Preview("prod", steps, (), (), {})


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    found: dict[str, Any] = {}

    @contextmanager
    def twin(snapshot: Snapshot, layout: Any, **options: Any) -> Iterator[Any]:
        print("cluster: starting")
        found.update(options, snapshot=snapshot, project=layout.project)
        yield SimpleNamespace(client="client", add_nodes="add", slowness=2.0, notes=(NOTE,))

    def try_change(client: Any, preview: Preview, timing: Any, add_nodes: Any, slowness: float) -> TwinReport:
        found.update(tried=(client, preview.stack, add_nodes, slowness))
        return TwinReport(notes=(OTHER,))

    def timing(objects: Any, changed: Any) -> Any:
        found.update(changed=[one["metadata"]["name"] for one in changed])
        return SimpleNamespace(objects=list, scaled="scaled")

    for name, value in {"twin": twin, "try_change": try_change, "timing": timing}.items():
        monkeypatch.setattr(module, name, value)
    return found


def test_the_change_is_tried_on_a_twin_of_the_snapshot(
    calls: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = run(preview(), SNAPSHOT, {"gpu": {}}, tmp_path)
    assert report.notes == (NOTE, OTHER)
    assert calls == {
        "snapshot": SNAPSHOT,
        "project": tmp_path,
        "pools": {"gpu": {}},
        "objects": [],
        "prepare": "scaled",
        "changed": ["b"],
        "tried": ("client", "prod", "add", 2.0),
    }
    output = capsys.readouterr()
    assert (output.out, output.err) == ("", "cluster: starting\n")


@pytest.mark.parametrize("error", [SandboxError("away"), ApiError(500, "away"), ProtocolError("away")])
def test_a_twin_that_cannot_start_is_a_note(
    error: Exception, calls: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def twin(*_: Any, **__: Any) -> Iterator[Any]:
        raise error
        yield

    monkeypatch.setattr(module, "twin", twin)
    (note,) = run(preview(), SNAPSHOT, {}, tmp_path).notes
    assert note.code == "twin-not-started"
    assert note.text.endswith("away")
