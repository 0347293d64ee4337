"""The stacks that a change affects."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.ci.repository import commit, git


def affected(repository: Path, *base: str) -> list[str]:
    done = subprocess.run([".ci/stacks", *base], cwd=repository, check=True, capture_output=True, text=True)
    found: list[str] = json.loads(done.stdout)
    return found


def write(repository: Path, file: str, content: str) -> None:
    (repository / file).parent.mkdir(exist_ok=True)
    (repository / file).write_text(content, encoding="utf-8")
    commit(repository)


@pytest.mark.parametrize(
    ("file", "stacks"),
    [
        ("Pulumi.prod.yaml", ["prod"]),
        ("Pulumi.new.yaml", ["new"]),
        ("README.md", []),
        ("tests/test_x.py", []),
        ("components/x.py", ["dev", "prod"]),
        ("Pulumi.yaml", ["dev", "prod"]),
        ("requirements.txt", ["dev", "prod"]),
    ],
)
def test_the_stacks_that_a_file_affects(file: str, stacks: list[str], repository: Path) -> None:
    base = git(repository, "rev-parse", "HEAD")
    write(repository, file, "b")
    assert affected(repository, base) == stacks


@pytest.mark.parametrize(
    ("file", "stacks"), [("Pulumi.eu.prod.yaml", ["eu.prod"]), ("components/x.py", ["dev", "eu.prod", "prod"])]
)
def test_the_name_of_a_stack_may_have_dots(file: str, stacks: list[str], repository: Path) -> None:
    write(repository, "Pulumi.eu.prod.yaml", "a")
    base = git(repository, "rev-parse", "HEAD")
    write(repository, file, "b")
    assert affected(repository, base) == stacks


@pytest.mark.parametrize("base", [[], [""], ["0" * 40], ["1" * 40]])
def test_without_an_existing_base_all_stacks_are_affected(base: list[str], repository: Path) -> None:
    assert affected(repository, *base) == ["dev", "prod"]


def test_a_deleted_stack_is_not_previewed(repository: Path) -> None:
    base = git(repository, "rev-parse", "HEAD")
    (repository / "Pulumi.dev.yaml").unlink()
    commit(repository)
    assert affected(repository, base) == []
