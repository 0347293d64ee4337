"""What the pages show is what the project does."""

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

import components
from components.training_job.immutability import refuse_change
from config import StackError, StackSettings, load_file
from docs import write_policy_rules
from docs import write_reference as reference
from tests.lesson import missing
from tests.mocks import deploy
from tests.schemas import assert_valid
from tests.test_program import objects, run_with

PROJECT = Path(__file__).resolve().parent.parent
PAGES = sorted(PROJECT.glob("docs/**/*.md"))


@dataclass(frozen=True)
class Block:
    """A block of code on a page."""

    page: str
    line: int
    language: str
    text: str
    follows: bool
    """Whether there is nothing between it and the block before it."""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    content = page.read_text(encoding="utf-8")
    found: list[Block] = []
    end = -1
    for match in re.finditer(r"^```(\w*)\n(.*?)^```\n", content, re.MULTILINE | re.DOTALL):
        follows = bool(found) and not content[end : match.start()].strip()
        line = content.count("\n", 0, match.start()) + 1
        where = str(page.relative_to(PROJECT / "docs"))
        found.append(Block(where, line, match[1], match[2], follows))
        end = match.end()
    # A block in a list would be missed here, and by Markdown too.
    assert content.count("```") == 2 * len(found), page
    return found


BLOCKS = [block for page in PAGES for block in blocks_of(page)]


def shown_after(block: Block) -> str | None:
    """What is said to come of a block: the text right after it."""
    for after in BLOCKS[BLOCKS.index(block) + 1 :][:1]:
        if after.page == block.page and after.follows and after.language == "text":
            return after.text
    return None


def of(language: str) -> list[Any]:
    return [pytest.param(block, id=str(block)) for block in BLOCKS if block.language == language]


def merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping with another one on top of it, at every depth."""
    result = dict(under)
    for key, value in over.items():
        below = result.get(key)
        result[key] = merged(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return result


def load(block: Block, folder: Path) -> StackSettings:
    """What a block says, on top of the prod stack."""
    prod = yaml.safe_load((PROJECT / "Pulumi.prod.yaml").read_text(encoding="utf-8"))
    stack = merged(prod, yaml.safe_load(block.text))
    (folder / "Pulumi.prod.yaml").write_text(yaml.safe_dump(stack), encoding="utf-8")
    return load_file("prod", folder)


def test_the_reference_is_fresh() -> None:
    """When this fails: python -m docs.write_reference."""
    written = {file.name: file.read_text(encoding="utf-8") for file in reference.FOLDER.glob("*.md")}
    del written[write_policy_rules.FILE.name]
    assert written == reference.pages()


@pytest.mark.parametrize("page", reference.PAGES, ids=lambda page: page.title)
def test_the_reference_has_every_argument_with_an_explanation(page: reference.Page) -> None:
    text = "\n".join(reference.pages().values())
    for model in reference.with_nested(page.model):
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name} has no docstring"
            heading = f"### `{field.alias}`\n\nType: "
            assert heading in text, f"{model.__name__}.{name}"


def test_the_site_is_built_and_every_link_leads_somewhere() -> None:
    built = subprocess.run(["make", "docs"], cwd=PROJECT, capture_output=True, text=True, check=False, timeout=300)
    assert built.returncode == 0, built.stdout + built.stderr
    assert (PROJECT / ".site" / "how-to" / "rollback.html").exists()


def test_every_block_says_what_it_is() -> None:
    assert {block.language for block in BLOCKS} <= {"yaml", "python", "sh", "text"}


@pytest.mark.parametrize("block", of("yaml"))
def test_a_stack_loads_or_is_refused_as_shown_and_a_manifest_is_valid(block: Block, tmp_path: Path) -> None:
    documents = list(yaml.safe_load_all(block.text))
    if "apiVersion" in documents[0]:
        assert_valid({f"{block} {document['kind']}": document for document in documents})
        return
    shown = shown_after(block)
    if shown is None:
        load(block, tmp_path)
        return
    with pytest.raises(StackError) as refusal:
        load(block, tmp_path)
    assert str(refusal.value).splitlines()[1:] == shown.splitlines()


@pytest.mark.parametrize("block", of("python"))
def test_a_program_runs_and_prints_what_is_shown(
    block: Block, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ml_platform", components)
    deployment = deploy(lambda: exec(block.text, {}))  # noqa: S102
    shown = shown_after(block)
    assert capsys.readouterr().out == (shown or "")
    assert deployment.resources or shown


def test_a_run_is_refused_as_shown() -> None:
    (said,) = [
        block.text.strip() for block in BLOCKS if block.page == "how-to/retraining.md" and block.language == "text"
    ]

    def run(image: str) -> dict[str, Any]:
        template = {"spec": {"containers": [{"name": "trainer", "image": image}]}}
        metadata = {"name": "image-classifier", "namespace": "ml-experiments"}
        return {"previousRuns": "delete", "run": {"metadata": metadata, "spec": {"template": template}}}

    with pytest.raises(ValueError, match="is not changed under its feet") as refusal:
        refuse_change("image-classifier", run("a:1"), run("a:2"))
    assert str(refusal.value) == said


def commands(block: Block) -> list[list[str]]:
    return [shlex.split(command) for line in block.text.splitlines() for command in line.split(" | ")]


@pytest.mark.parametrize("block", of("sh"))
def test_a_command_is_one_of_this_project_or_of_a_tool_that_is_named(block: Block) -> None:
    for program, *words in commands(block):
        if program == "make":
            makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
            assert words[0] in re.findall(r"^([a-z0-9]+):.*## ", makefile, re.MULTILINE)
        elif program == ".venv/bin/python":
            # What asks a cluster is only asked for its options here.
            options = [] if words[1] == "config" else ["--help"]
            done = subprocess.run(
                [sys.executable, *words, *options], cwd=PROJECT, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
        else:  # those of pulumi and kubectl are looked up in their own help by the end-to-end tests
            assert program in {"pulumi", "kubectl", "helm"}


@pytest.mark.parametrize("page", [*PAGES, PROJECT / "README.md"], ids=lambda page: page.name)
def test_a_module_is_run_by_the_python_that_has_what_it_needs(page: Path) -> None:
    """That of ``.venv``, which ``make`` and ``pulumi install`` make: nothing puts it on PATH."""
    shown = re.findall(r"(\S*python3?) -m", page.read_text(encoding="utf-8"))
    assert {command.strip("`") for command in shown} <= {".venv/bin/python"}


def test_nothing_is_explained_by_a_text_that_a_reader_does_not_have() -> None:
    """The manifests of tests/lesson.py come from one: pages and code name what they mean themselves."""
    files = [*PAGES, *PROJECT.glob("*.md"), *PROJECT.glob("components/*.py"), PROJECT / "Pulumi.schema.json"]
    assert [str(file) for file in files if "lesson" in file.read_text(encoding="utf-8").lower()] == []


def test_the_stack_makes_every_field_of_the_manifests_that_it_stands_for() -> None:
    manifests, stack, *_ = (
        block.text for block in BLOCKS if block.page == "how-to/from-yaml-or-helm.md" and block.language == "yaml"
    )
    made = objects(run_with(yaml.safe_load(stack)["config"]))
    for manifest in yaml.safe_load_all(manifests):
        actual = made[manifest["kind"], manifest["metadata"]["name"]]
        assert missing(manifest, actual) == [], manifest["kind"]


def test_the_distribution_is_called_as_shown() -> None:
    page = (PROJECT / "docs" / "how-to" / "from-python.md").read_text(encoding="utf-8")
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    assert f"{project['project']['name']} @ git+https://<the repository>@v{components.VERSION}" in page
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["sources"] == {"components": "ml_platform"}


def test_the_folders_that_are_named_exist() -> None:
    architecture = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for row in re.findall(r"^\| (`.*?) \|", architecture, re.MULTILINE):
        for folder in re.findall(r"`([^`]+)`", row):
            assert (PROJECT / folder).exists(), folder
    for example in re.findall(r"`(examples/[\w-]+)`", "".join(page.read_text(encoding="utf-8") for page in PAGES)):
        assert (PROJECT / example / "Pulumi.yaml").exists(), example
