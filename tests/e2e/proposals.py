"""Deploys and proposes changes of the prod stack, and records which checks notice them."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from config import StackError, load_file
from config.render import objects
from review.preview import PreviewError, parse
from tests.e2e.project import SOURCE, Project
from tests.review.changes import Change, base, edited, edited_settings

_PROGRAM = """
import json
import pathlib

import pulumi


def token(kind, apiVersion, **_):
    return f"kubernetes:{apiVersion if '/' in apiVersion else f'core/{apiVersion}'}:{kind}"


FIRST = {"CustomResourceDefinition", "Namespace", "PriorityClass", "RuntimeClass", "ServiceAccount", "StorageClass"}
before = []
for name, manifest in json.loads(pathlib.Path("manifests.json").read_text()).items():
    options = pulumi.ResourceOptions(depends_on=before)
    made = pulumi.CustomResource(token(**manifest), name, manifest, options)
    if manifest["kind"] in FIRST:
        before = [*before, made]
"""
"""A program that only registers objects."""

_KEY = "ml-platform:"
# In seconds. A Deployment of simulated pods is ready in less.
_UP_TIMEOUT = 120
_SETTLE_TIME = 3.0


def started(project: Project) -> Project:
    """Start the cluster. The pods of its Jobs run for a day, so that changes meet a training in progress."""
    stages = project.folder / "sandbox" / "programs" / "kwok" / "stages.yaml"
    text = stages.read_text(encoding="utf-8")
    stages.write_text(text.replace("durationMilliseconds: 3000", f"durationMilliseconds: {86_400_000}", 1), "utf-8")
    done = project.start("prod")
    assert done.returncode == 0, done.stdout + done.stderr
    return project


@dataclass(frozen=True)
class Noticed:
    """Which checks noticed a change."""

    preview: bool
    dry_run: bool
    review: bool
    why: str
    """What the review reports first."""

    seconds: float
    """How long the review took."""


class Bench:
    """A deployed prod stack, to which changes of one level are proposed."""

    def __init__(self, project: Project, level: str, *flags: str) -> None:
        self._project, self._level, self._flags = project, level, flags
        if level == "manifests":
            (project.folder / "__main__.py").write_text(_PROGRAM, encoding="utf-8")
        self._write(())
        self._stack = project.stack("prod")
        self._stack.up()

    def notice(self, change: Change) -> Noticed:
        """Propose a change, and restore the stack and the cluster afterwards."""
        try:
            for manifest in change.live:
                created = self._project.apply(manifest)
                assert created.returncode == 0, created.stderr
            if change.before:
                self._write((change.before,))
                self._up()
            if change.live or change.before:
                time.sleep(_SETTLE_TIME)
            return self._checked(self._write((change.before, change.change)))
        finally:
            self._write(())
            if change.before:
                self._release(change.before.get("add") or [])
                self._up()
            self._delete(change.live)

    def _write(self, edits: tuple[Mapping[str, Any], ...]) -> list[dict[str, Any]] | None:
        """Write the stack with edits. Returns its manifests; None if it is invalid."""
        if self._level == "manifests":
            manifests = base()
            for edit in edits:
                manifests = edited(manifests, edit)
            (self._project.folder / "manifests.json").write_text(json.dumps(manifests), encoding="utf-8")
            return list(manifests.values())
        content = yaml.safe_load((SOURCE / "Pulumi.prod.yaml").read_text(encoding="utf-8"))
        settings = {key.removeprefix(_KEY): value for key, value in content["config"].items()}
        for edit in edits:
            settings = edited_settings(settings, edit)
        self._project.configure("prod", **settings)
        try:
            return [manifest for _, manifest in objects(load_file("prod", self._project.folder))]
        except StackError:
            return None

    def _up(self) -> None:
        done = self._project.run("pulumi", "up", "--stack", "prod", "--yes", "--skip-preview", timeout=_UP_TIMEOUT)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr

    def _release(self, manifests: list[dict[str, Any]]) -> None:
        """Remove the finalizers of objects whose operator does not run here."""
        for manifest in manifests:
            if manifest["metadata"].get("finalizers"):
                patch = ["patch", "--type=merge", '--patch={"metadata":{"finalizers":null}}', "-f", "-"]
                assert self._kubectl(patch, [manifest]).returncode == 0

    def _delete(self, manifests: list[dict[str, Any]]) -> None:
        # The claims of a StatefulSet outlive it, and protect their volumes. The prod stack has none.
        claims = self._project.run("kubectl", "delete", "persistentvolumeclaims", "--all", "-A", "--timeout=60s")
        assert claims.returncode == 0, claims.stderr
        command = ["delete", "--ignore-not-found", "--timeout=60s", "-f", "-"]
        if manifests:
            deleted = self._kubectl(command, list(reversed(manifests)))
            assert deleted.returncode == 0, deleted.stderr

    def _kubectl(self, command: list[str], manifests: list[dict[str, Any]]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["kubectl", *command],
            input=json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests}),
            env=self._project.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def _checked(self, manifests: list[dict[str, Any]] | None) -> Noticed:
        run = self._project.run
        done = run("pulumi", "preview", "--stack", "prod", "--json", "--show-sames", "--non-interactive")
        file = self._project.folder / "preview.json"
        file.write_text(done.stdout, encoding="utf-8")
        try:
            preview = parse(done.stdout, "prod")
            replaced = any(step.op in {"replace", "delete"} for step in preview.steps)
            by_preview = done.returncode != 0 or bool(preview.errors or preview.warnings) or replaced
        except PreviewError:
            by_preview = True
        command = ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", "-"]
        by_dry_run = manifests is None or self._kubectl(command, manifests).returncode != 0
        started = time.monotonic()
        reviewed = run(
            sys.executable, "-m", "review", "--stack", "prod", "--preview", str(file), "--format", "json", *self._flags
        )
        seconds = time.monotonic() - started
        assert reviewed.stdout, reviewed.stderr
        made = json.loads(reviewed.stdout)
        why = [f"{one['code']}: {one['text']}" for one in (*made["problems"], *made["warnings"])]
        why += [f"{one['effect']['code']}: {one['target']}" for one in made["interruptions"] if one.get("disruptive")]
        why += [one["finding"]["message"] for one in made["findings"] if one["new"]]
        by_review = made["verdict"] in {"blocked", "attention"}
        return Noticed(by_preview, by_dry_run, by_review, " ".join((why or [""])[0].split()), seconds)
