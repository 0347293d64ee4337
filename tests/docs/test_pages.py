"""The pages show what the project does: their code blocks are run or validated."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import components
from tests.docs.outputs import errors_of, outputs, run
from tests.docs.pages import BLOCKS, PAGES, PROJECT, ROOT_PAGES, Block, anchors, commands, links, output_of
from tests.lesson import missing
from tests.program import objects, run_with
from tests.schemas import assert_valid


def of(language: str) -> list[Any]:
    return [pytest.param(block, id=str(block)) for block in BLOCKS if block.language == language]


def test_code_blocks_have_a_language() -> None:
    assert {block.language for block in BLOCKS} <= {"yaml", "python", "sh", "text"}


@pytest.mark.parametrize("block", of("yaml"))
def test_yaml_is_a_valid_stack_or_manifest_unless_an_error_is_shown(block: Block) -> None:
    documents = list(yaml.safe_load_all(block.text))
    if "apiVersion" in documents[0]:
        assert_valid({f"{block} {document['kind']}": document for document in documents})
    else:
        assert bool(errors_of(block)) == (output_of(block) is not None)


@pytest.mark.parametrize("block", of("python"))
def test_python_runs_and_prints_only_the_output_that_is_shown(block: Block) -> None:
    deployment, printed = run(block)
    assert bool(printed) == (output_of(block) is not None)
    assert deployment.resources or printed


def test_the_outputs_that_pages_show_are_up_to_date() -> None:
    """If this fails: ``make golden``."""
    actual = outputs()
    assert len(actual) >= 4
    assert {str(shown): shown.text for shown in actual} == {str(shown): text for shown, text in actual.items()}


@pytest.mark.parametrize("block", of("sh"))
def test_commands_exist(block: Block) -> None:
    for program, *words in commands(block):
        if program == "make":
            makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
            assert words[0] in re.findall(r"^([a-z0-9-]+):.*## ", makefile, re.MULTILINE)
        elif program == ".venv/bin/python":
            # Commands that use a cluster are only run with --help.
            options = [] if words[1] == "config" else ["--help"]
            done = subprocess.run(
                [sys.executable, *words, *options], cwd=PROJECT, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
        else:  # the end-to-end tests look up the flags of pulumi and kubectl in their help
            assert program in {"pulumi", "kubectl", "helm"}


@pytest.mark.parametrize("page", [*PAGES, *ROOT_PAGES], ids=lambda page: page.name)
def test_modules_are_run_by_the_python_of_the_virtual_environment(page: Path) -> None:
    """``make`` and ``pulumi install`` create ``.venv``, and do not put it on PATH."""
    shown = re.findall(r"(\S*python3?) -m", page.read_text(encoding="utf-8"))
    assert {command.strip("`") for command in shown} <= {".venv/bin/python"}


@pytest.mark.parametrize("page", [*PAGES, *ROOT_PAGES], ids=lambda page: str(page.relative_to(PROJECT)))
def test_links_lead_to_a_page_and_a_heading(page: Path) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_is_in_the_navigation_of_the_site() -> None:
    site = (PROJECT / "mkdocs.yml").read_text(encoding="utf-8")
    listed = re.findall(r"^ +- (\S+\.md)$", site, re.MULTILINE)
    assert sorted(listed) == [str(page.relative_to(PROJECT / "docs")) for page in PAGES]


def test_every_decision_record_is_in_the_list_of_records() -> None:
    folder = PROJECT / "docs" / "adr"
    records = sorted(page.name for page in folder.glob("[0-9]*.md"))
    listed = re.findall(r"^\| \[[^]]+\]\((\S+)\)", (folder / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert listed == records


def test_pages_and_code_do_not_refer_to_the_source_of_the_manifests_in_the_tests() -> None:
    files = [*PAGES, *ROOT_PAGES, *PROJECT.glob("components/**/*.py"), PROJECT / "Pulumi.schema.json"]
    assert [str(file) for file in files if "lesson" in file.read_text(encoding="utf-8").lower()] == []


def test_the_migrated_stack_has_every_field_of_the_manifests() -> None:
    manifests, stack, *_ = (
        block.text for block in BLOCKS if block.page == "how-to/from-yaml-or-helm.md" and block.language == "yaml"
    )
    created = objects(run_with(yaml.safe_load(stack)["config"]))
    for manifest in yaml.safe_load_all(manifests):
        actual = created[manifest["kind"], manifest["metadata"]["name"]]
        assert missing(manifest, actual) == [], manifest["kind"]


def test_the_distribution_has_the_name_and_version_that_are_shown() -> None:
    page = (PROJECT / "docs" / "how-to" / "from-python.md").read_text(encoding="utf-8")
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    assert f"{project['project']['name']} @ git+https://<the repository>@v{components.VERSION}" in page
    package = (PROJECT / "docs" / "how-to" / "other-languages.md").read_text(encoding="utf-8")
    assert f"/plugin@{components.VERSION}\n" in package
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["sources"] == {"components": "ml_platform"}


def test_the_folders_in_the_architecture_exist() -> None:
    architecture = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for row in re.findall(r"^\| (`.*?) \|", architecture, re.MULTILINE):
        for folder in re.findall(r"`([^`]+)`", row):
            assert (PROJECT / folder).exists(), folder


def test_the_examples_that_pages_refer_to_exist() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    for example in re.findall(r"`(examples/[\w-]+)`", text):
        assert (PROJECT / example / "Pulumi.yaml").exists(), example
