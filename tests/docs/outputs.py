"""The outputs that pages show after a stack or a program, and how they are written."""

import contextlib
import io
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml

import components
from components import ArgumentError
from components.base.error_table import OWNED_BY_NO_COMPONENT
from components.base.ownership import Conflict, message
from components.training_job.immutability import check_immutable
from config import StackError, StackSettings, load_file
from tests.docs.pages import BLOCKS, PROJECT, Block, output_of
from tests.mocks import Deployment, deploy


def load(block: Block, folder: Path) -> StackSettings:
    """The prod stack with a block merged into it."""
    prod = yaml.safe_load((PROJECT / "Pulumi.prod.yaml").read_text(encoding="utf-8"))
    stack = _merged(prod, yaml.safe_load(block.text))
    (folder / "Pulumi.prod.yaml").write_text(yaml.safe_dump(stack), encoding="utf-8")
    return load_file("prod", folder)


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping with another one merged into it, at every depth."""
    result = dict(under)
    for key, value in over.items():
        below = result.get(key)
        result[key] = _merged(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return result


def errors_of(block: Block) -> str:
    """The errors of a stack, as it reports them; empty if it is valid."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            load(block, Path(folder))
        except StackError as error:
            return "\n".join(str(error).splitlines()[1:]) + "\n"
    return ""


def run(block: Block) -> tuple[Deployment, str]:
    """A program, run with Pulumi's mocks, and what it prints."""
    printed = io.StringIO()
    with patch.dict(sys.modules, {"ml_platform": components}), contextlib.redirect_stdout(printed):
        deployment = deploy(lambda: exec(block.text, {}))  # noqa: S102
    return deployment, printed.getvalue()


def error_of_a_changed_run() -> str:
    """The error that the page on retraining shows."""

    def inputs(image: str) -> dict[str, Any]:
        template = {"spec": {"containers": [{"name": "trainer", "image": image}]}}
        metadata = {"name": "image-classifier", "namespace": "ml-experiments"}
        return {"previousRuns": "delete", "run": {"metadata": metadata, "spec": {"template": template}}}

    try:
        check_immutable("image-classifier", inputs("a:1"), inputs("a:2"))
    except ArgumentError as error:
        return f"{error}\n"
    raise AssertionError("the change was accepted")


def error_of_an_existing_namespace() -> str:
    """The error that the page on existing namespaces shows."""
    conflict = Conflict("Namespace legacy-nlp", OWNED_BY_NO_COMPONENT, {"manager": "kubectl-create"})
    return message([("TeamNamespace legacy-nlp", conflict)]) + "\n"


def outputs() -> dict[Block, str]:
    """The actual output of every block for which a page shows one."""
    found = {}
    for block in BLOCKS:
        shown = output_of(block)
        if shown is not None:
            found[shown] = errors_of(block) if block.language == "yaml" else run(block)[1]
    (changed,) = [block for block in BLOCKS if block.page == "how-to/retraining.md" and block.language == "text"]
    (existing,) = [block for block in BLOCKS if block.page == "how-to/adopt-existing.md" and block.language == "text"]
    return {**found, changed: error_of_a_changed_run(), existing: error_of_an_existing_namespace()}


def write() -> None:
    """Write the outputs into the pages."""
    for shown, actual in outputs().items():
        page = PROJECT / "docs" / shown.page
        text = page.read_text(encoding="utf-8")
        page.write_text(text.replace(f"```text\n{shown.text}```", f"```text\n{actual}```"), encoding="utf-8")
