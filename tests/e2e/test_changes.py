"""Forty harmful and forty harmless changes, each checked in three ways before it is deployed.

The same manifests on the same cluster, in one run: plain ``pulumi preview`` (a failure, a warning, a replacement or a
deletion counts as noticed), ``kubectl apply --dry-run=server`` (a failure), and the review.
"""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from unittest.mock import patch

import pytest

from review.cluster.checks import check
from review.cluster.kubectl import Cluster
from review.cluster.live_state import with_live_state
from review.preview import parse
from review.review import review
from tests.e2e.project import Project
from tests.edits import Edit, every
from tests.review.proposals import HARMFUL, HARMLESS, base

pytestmark = pytest.mark.long

_PLAIN = """
import json
import pathlib

import pulumi


def token(kind, apiVersion, **_):
    return f"kubernetes:{apiVersion if '/' in apiVersion else f'core/{apiVersion}'}:{kind}"


before = []
for name, manifest in json.loads(pathlib.Path("manifests.json").read_text()).items():
    options = pulumi.ResourceOptions(depends_on=before)
    made = pulumi.CustomResource(token(**manifest), name, manifest, options)
    if manifest["kind"] in {"Namespace", "ServiceAccount"}:
        before = [*before, made]
"""


@pytest.fixture(scope="module")
def plain(project: Project) -> Iterator[Project]:
    """The objects of the prod stack, deployed by a program that only registers them."""
    (project.folder / "__main__.py").write_text(_PLAIN, encoding="utf-8")
    _propose(project, every())
    project.stack("prod").up()
    for kind, data in (("Secret", "stringData"), ("ConfigMap", "data")):
        existing = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "there", "namespace": "ml-serving"}}
        assert project.apply({**existing, data: {"token": "t"}}).returncode == 0
    with patch.dict(os.environ, project.environment()):
        yield project


def _propose(project: Project, edit: Edit) -> None:
    manifests = base(edit)
    (project.folder / "manifests.json").write_text(json.dumps(manifests), encoding="utf-8")


@dataclass(frozen=True)
class Noticed:
    """Which checks noticed a change."""

    preview: bool
    dry_run: bool
    review: bool
    why: str


def _noticed(project: Project, edit: Edit) -> Noticed:
    _propose(project, edit)
    done = project.run("pulumi", "preview", "--stack", "prod", "--json", "--show-sames", "--non-interactive")
    preview = parse(done.stdout, "prod")
    replaced = any(step.op in {"replace", "delete"} for step in preview.steps)
    by_preview = done.returncode != 0 or bool(preview.errors or preview.warnings) or replaced
    manifests = json.loads((project.folder / "manifests.json").read_text(encoding="utf-8"))
    applied = subprocess.run(
        ["kubectl", "apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", "-"],
        input=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(manifests.values())}),
        env=project.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    cluster = Cluster()
    live = with_live_state(preview, cluster)
    made = review(live, {}, date.today(), report=check(live, cluster))
    effects = [interruption.effect for interruption in made.interruptions if interruption.disruptive]
    why = [message.text for message in (*made.problems, *effects, *made.warnings)]
    why += [found.finding.message for found in made.findings if found.new]
    by_review = made.verdict in {"blocked", "attention"}
    return Noticed(by_preview, applied.returncode != 0, by_review, why[0] if why else "")


def test_forty_harmful_and_forty_harmless_changes(
    plain: Project, record_property: Callable[[str, object], None]
) -> None:
    assert (len(HARMFUL), len(HARMLESS)) == (40, 40)
    table, wrong = [], []
    for title, changes, expected in (("harmful", HARMFUL, True), ("harmless", HARMLESS, False)):
        table.append(f"{title:45} preview  dry run  review  why")
        results = {}
        for name, edit in changes.items():
            results[name] = by = _noticed(plain, edit)
            marks = ["noticed" if flag else "-" for flag in (by.preview, by.dry_run, by.review)]
            table.append(f"{name:45} {marks[0]:8} {marks[1]:8} {marks[2]:7} {' '.join(by.why.split())[:110]}")
            if by.review != expected:
                wrong.append(name)
        sums = [sum(getattr(r, who) for r in results.values()) for who in ("preview", "dry_run", "review")]
        table.append(f"{f'noticed, of {len(changes)}':45} {sums[0]:<8} {sums[1]:<8} {sums[2]}")
    record_property("table", "\n".join(table))
    assert wrong == []
