"""One sandbox for all end-to-end tests, beside the one that a developer may have up."""

import shutil
from collections.abc import Iterator

import pytest

from tests.e2e.project import SOURCE, Project

FOLDER = SOURCE / ".sandbox" / "e2e"


@pytest.fixture(scope="session")
def project() -> Iterator[Project]:
    """A copy of the project whose cluster is up, with the nodes of the prod stack."""
    if FOLDER.exists():  # left by a run that was killed
        Project(FOLDER).sandbox("down")
        shutil.rmtree(FOLDER)
    copy = Project.copy(FOLDER)
    started = copy.sandbox("start", "--stack", "prod", timeout=3600)
    assert started.returncode == 0, started.stdout + started.stderr
    yield copy
    stopped = copy.sandbox("down")
    assert stopped.returncode == 0, stopped.stdout + stopped.stderr
    shutil.rmtree(FOLDER)
