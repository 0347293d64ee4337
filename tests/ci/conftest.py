"""Fixtures of the tests of .ci."""

from pathlib import Path

import pytest

from tests.ci.repository import PROJECT, commit, git


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with two stacks and one commit."""
    (tmp_path / ".ci").mkdir()
    for script in ("stacks", "up"):
        copy = tmp_path / ".ci" / script
        copy.write_text((PROJECT / ".ci" / script).read_text(encoding="utf-8"), encoding="utf-8")
        copy.chmod(0o755)
    for file in ("Pulumi.yaml", "Pulumi.dev.yaml", "Pulumi.prod.yaml", "README.md"):
        (tmp_path / file).write_text("a", encoding="utf-8")
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    commit(tmp_path)
    return tmp_path
