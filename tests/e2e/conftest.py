"""A sandbox for each file of end-to-end tests, beside the one that a developer may have up.

The files run side by side: what takes time is waiting for the cluster, not computing.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import servers, toolchain
from sandbox.layout import Layout
from tests.e2e.project import SOURCE, Project


@pytest.fixture(scope="session", autouse=True)
def programs() -> None:
    """The toolchain, built before the first test needs it: a test's time-out is not for that."""
    toolchain.install(Layout(SOURCE))


@pytest.fixture(scope="module")
def project(request: pytest.FixtureRequest) -> Iterator[Project]:
    """A copy of the project whose cluster is up, with the nodes of the prod stack."""
    for copy in fresh_copy(Path(request.path).stem):
        started = copy.sandbox("start", "--stack", "prod")
        assert started.returncode == 0, started.stdout + started.stderr
        yield copy


@pytest.fixture
def checkout(request: pytest.FixtureRequest) -> Iterator[Project]:
    """A copy of the project with nothing up."""
    yield from fresh_copy(Path(request.path).stem)


def fresh_copy(name: str) -> Iterator[Project]:
    """A copy of the project with nothing up, which leaves nothing behind."""
    folder = SOURCE / ".sandbox" / "e2e" / name
    servers.stop(Layout(folder).root)  # left by a run that was killed
    shutil.rmtree(folder, ignore_errors=True)
    yield Project.copy(folder)
    servers.stop(Layout(folder).root)
    shutil.rmtree(folder)
