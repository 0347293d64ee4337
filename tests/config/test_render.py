"""Rendered manifests equal the objects that ``up`` creates."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from config import StackSettings, load_file
from config.render import objects, render
from tests.program import PROJECT, run

# Workloads of every kind.
EVERYTHING: dict[str, Any] = {
    "priorityClasses": {"training": {"value": 1000}},
    "teams": {"ml": {"name": "ml-prod", "team": "nlp", "priorityQuotas": {"training": {"pods": "5"}}}},
    "trainingJobs": {
        "bert": {
            "team": "ml",
            "image": "trainer:v1",
            "workers": 2,
            "distributed": "torchrun",
            "previousRuns": "keep",
            "priorityClass": "training",
            "env": {"LEARNING_RATE": "1e3", "UMASK": "0o17", "SEED": "012", "DEBUG": "on", "NONE": "null"},
        },
    },
    "modelServices": {
        "bert-api": {
            "namespace": "elsewhere",
            "image": "server:v1",
            "autoscale": {"min": 2, "max": 4, "cpu": 70},
            "canary": {"image": "server:v2", "weight": 10},
            "ingress": {"host": "models.example.com"},
            "route": {"gateway": "public"},
        }
    },
}


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_program_registers_the_rendered_manifests(stack: str) -> None:
    rendered = dict(objects(load_file(stack, PROJECT)))
    registered = {r.name: r.inputs for r in run(stack).resources if r.request.custom}
    assert rendered == registered
    assert len(rendered) > 30


def test_the_program_registers_the_rendered_manifests_of_workloads_of_every_kind(tmp_path: Path) -> None:
    config = {f"ml-platform:{key}": value for key, value in EVERYTHING.items()}
    (tmp_path / "Pulumi.all.yaml").write_text(yaml.safe_dump({"config": config}), encoding="utf-8")
    rendered = dict(objects(load_file("all", tmp_path)))
    registered = {r.name: r.inputs for r in run("all", preview=True, folder=tmp_path).resources if r.request.custom}
    # The UID of the owner of kept runs is unknown before deployment.
    del registered["bert-job"]["metadata"]["ownerReferences"]
    assert rendered == registered
    assert {"priority-training", "ml-priority-quota-training", "bert-runs", "bert-api-canary"} <= set(rendered)


def test_the_yaml_is_equal_and_in_the_order_of_up() -> None:
    stack = load_file("prod", PROJECT)
    assert list(yaml.safe_load_all(render(stack))) == [manifest for _, manifest in objects(stack)]
    assert "# model-serving-deployment\napiVersion: apps/v1\nkind: Deployment\n" in render(stack)
    assert "&" not in render(stack)
    assert "*" not in render(stack)


def test_text_that_another_yaml_version_reads_as_a_number_is_quoted() -> None:
    text = render(StackSettings.parse(EVERYTHING))
    for value in ("1e3", "0o17", "012"):
        assert f'value: "{value}"\n' in text
    for value in ("on", "null"):
        assert f"value: '{value}'\n" in text


def test_the_command_requires_neither_an_engine_nor_a_cluster() -> None:
    command = [sys.executable, "-m", "config", "render", "prod"]
    done = subprocess.run(command, cwd=PROJECT, env={"PATH": ""}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == render(load_file("prod", PROJECT))


def test_an_invalid_stack_is_rejected_and_not_rendered(tmp_path: Path) -> None:
    broken = {"config": {"ml-platform:teams": {"ml": {"quota": {"pods": "many"}}}}}
    (tmp_path / "Pulumi.prod.yaml").write_text(yaml.safe_dump(broken), encoding="utf-8")
    command = [sys.executable, "-m", "config", "render", "prod"]
    environment = {"PYTHONPATH": str(PROJECT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Pulumi.prod.yaml: ml-platform:teams.ml.quota.pods:" in done.stderr
    assert "[quantity-invalid]" in done.stderr
    assert "Traceback" not in done.stderr
