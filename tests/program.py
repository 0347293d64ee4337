"""Runs the project's program with the configuration of a stack."""

import json
import runpy
from pathlib import Path
from typing import Any

import yaml

from tests.mocks import Deployment, deploy

PROJECT = Path(__file__).resolve().parent.parent


def run(stack: str, *, preview: bool = False, folder: Path = PROJECT) -> Deployment:
    """The program with a stack's file."""
    content = yaml.safe_load((folder / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))["config"]
    return run_with(content, stack=stack, preview=preview)


def run_with(content: dict[str, Any], *, stack: str = "test", preview: bool = False) -> Deployment:
    """The program with the ``config`` of a stack's file."""
    config = {key: json.dumps(value) for key, value in content.items()}
    program = str(PROJECT / "__main__.py")
    return deploy(lambda: runpy.run_path(program) and None, stack=stack, config=config, preview=preview)


def objects(deployment: Deployment) -> dict[tuple[str, str], dict[str, Any]]:
    """The Kubernetes objects by kind and name."""
    found = {}
    for resource in deployment.resources:
        if resource.request.custom:
            found[resource.inputs["kind"], resource.inputs["metadata"]["name"]] = resource.inputs
    return found
