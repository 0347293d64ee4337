"""The rendered manifests: checked by scanners, and applied to the real API server."""

import json
import sys
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from config import load_file
from config.render import objects, render
from tests.e2e import scanners
from tests.e2e.project import SOURCE, Project
from tests.lesson import missing

PROD = load_file("prod", SOURCE)


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("rendered") / "prod.yaml"
    file.write_text(render(PROD), encoding="utf-8")
    return file


@pytest.mark.parametrize("version", ["1.33", "1.34", "1.35", "1.36", "1.37"])
def test_manifests_are_valid_in_every_supported_version(version: str, manifests: Path) -> None:
    for manifest in yaml.safe_load_all(manifests.read_text(encoding="utf-8")):
        kubernetes_validate.validate(manifest, version, strict=True)


def test_checkov_reports_no_findings(manifests: Path) -> None:
    """Exceptions are annotations in the stack, each with its reason. Checkov counts them as skipped."""
    done = scanners.checkov(manifests)
    summary = json.loads(done.stdout)["summary"]
    assert (done.returncode, summary["failed"], summary["parsing_errors"]) == (0, 0, 0), done.stdout
    assert summary["skipped"] == (SOURCE / "Pulumi.prod.yaml").read_text(encoding="utf-8").count("checkov.io/skip")
    assert summary["passed"] > 200


def test_kube_score_reports_no_findings(manifests: Path) -> None:
    done = scanners.kube_score(manifests)
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith(("[CRITICAL]", "[WARNING]"))] == []
    assert done.returncode == 0
    assert sum(line.startswith("[OK]") for line in lines) > 80


def test_the_scanners_report_an_unsafe_pod(tmp_path: Path) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "open", "namespace": "ml"},
        "spec": {"containers": [{"name": "c", "image": "a:latest", "securityContext": {"privileged": True}}]},
    }
    (tmp_path / "open.yaml").write_text(yaml.safe_dump(pod), encoding="utf-8")
    assert scanners.checkov(tmp_path / "open.yaml").returncode == 1
    assert scanners.kube_score(tmp_path / "open.yaml").returncode == 1


def test_up_creates_the_same_objects(project: Project) -> None:
    stack = project.stack("prod")
    stack.up()
    created = {r["urn"].split("::")[-1] for r in stack.resources() if r["type"].startswith("kubernetes:")}
    rendered = dict(objects(PROD))
    assert created == set(rendered)
    for name, manifest in rendered.items():
        metadata = manifest["metadata"]
        live = project.get(_kind(manifest), metadata["name"], metadata.get("namespace", ""))
        assert missing(manifest, live) == [], name


def _kind(manifest: dict[str, str]) -> str:
    group, _, version = manifest["apiVersion"].rpartition("/")
    return f"{manifest['kind']}.{version}.{group}"


def test_kubectl_diff_is_empty_after_up(project: Project, manifests: Path) -> None:
    difference = project.run("kubectl", "diff", "-f", str(manifests))
    assert difference.returncode == 0, difference.stdout + difference.stderr


def test_kubectl_applies_the_manifests_without_pulumi(project: Project) -> None:
    project.stack("prod").destroy()
    rendered = project.run(sys.executable, "-m", "config", "render", "prod")
    (project.folder / "prod.yaml").write_text(rendered.stdout, encoding="utf-8")
    applied = project.run("kubectl", "apply", "--server-side", "-f", "prod.yaml")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert project.names("deployments", "ml-serving") == ["model-serving"]
    assert project.run("kubectl", "delete", "-f", "prod.yaml", "--ignore-not-found").returncode == 0
