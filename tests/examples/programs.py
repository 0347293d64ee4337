"""The examples, run with Pulumi's mocks."""

import runpy
from pathlib import Path
from typing import Any

import yaml

from tests.mocks import Deployment, deploy

FOLDER = Path(__file__).resolve().parents[2] / "examples"
EXAMPLES = sorted(file.parent.name for file in FOLDER.glob("*/__main__.py"))
"""The examples in Python."""


def run(example: str, **changes: str | None) -> Deployment:
    """Run an example with the configuration of its dev stack; ``changes`` set or, with None, remove values."""
    file = FOLDER / example / "Pulumi.dev.yaml"
    content = yaml.safe_load(file.read_text(encoding="utf-8"))["config"] if file.exists() else {}
    values = {key.removeprefix(f"{example}:"): str(value) for key, value in content.items()} | changes
    config = {f"ml-platform:{key}": value for key, value in values.items() if value is not None}
    return deploy(lambda: runpy.run_path(str(FOLDER / example)) and None, config=config)


def objects(deployment: Deployment) -> dict[str, dict[str, Any]]:
    """The Kubernetes objects by kind and name."""
    created = [resource.inputs for resource in deployment.resources if resource.request.custom]
    return {f"{manifest['kind']} {manifest['metadata']['name']}": manifest for manifest in created}
