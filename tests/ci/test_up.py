"""The deployment of the approved commit."""

import subprocess
from pathlib import Path

from tests.ci.repository import commit, git


def test_another_commit_than_the_approved_one_is_not_deployed(repository: Path) -> None:
    approved = git(repository, "rev-parse", "HEAD")
    (repository / "README.md").write_text("c", encoding="utf-8")
    current = commit(repository)
    done = subprocess.run([".ci/up", "prod", approved], cwd=repository, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert approved in done.stderr
    assert current in done.stderr
