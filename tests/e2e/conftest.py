"""A sandbox for each file of end-to-end tests, beside the one that a developer may have up.

The files run side by side: what takes time is waiting for the cluster, not computing.
"""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sandbox import servers, toolchain
from sandbox.layout import Layout
from tests.e2e.api import Api
from tests.e2e.lab import Lab
from tests.e2e.project import SOURCE, Project

# The files that take longest, which begin first: the others fill the time until these end.
_LONGEST = (
    "test_model_service", "test_plugin", "test_model_service_options", "test_training_job", "test_team_life",
    "test_review", "test_stack", "test_training_job_forms", "test_render", "test_distribution", "test_examples",
    "test_policies", "test_docs", "test_capacity", "test_pipeline", "test_sandbox", "test_team_namespace",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files in order; the tests of a file stay in theirs."""
    rank = {name: number for number, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the tables that tests have recorded, from whichever process they ran in."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, table in report.user_properties if report.when == "call" else []:
            if name == "table":
                terminalreporter.section(report.nodeid.partition("::")[2])
                terminalreporter.write_line(str(table))


@pytest.fixture(scope="session", autouse=True)
def programs() -> None:
    """The toolchain, built before the first test needs it: a test's time-out is not for that."""
    toolchain.install(Layout(SOURCE))


@pytest.fixture(scope="session", autouse=True)
def thrift() -> Iterator[None]:
    """Less work for the processor, which is what the time goes to.

    Python's bytecode is kept, as it is by default, and made of what is imported: not of all that pip
    installs. Pulumi and its provider collect their garbage later.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOGC", "400")
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        # pip reads "no" as yes for options that begin with --no.
        patch.setenv("PIP_NO_COMPILE", "no")
        yield


@pytest.fixture(scope="module")
def project(request: pytest.FixtureRequest) -> Iterator[Project]:
    """A copy of the project whose cluster is up, with the nodes of the prod stack."""
    for copy in fresh_copy(Path(request.path).stem):
        started = copy.sandbox("start", "--stack", "prod")
        assert started.returncode == 0, started.stdout + started.stderr
        yield copy


@pytest.fixture(scope="module")
def api(project: Project) -> Iterator[Api]:
    with closing(Api(project.layout)) as api:
        yield api


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


@pytest.fixture(scope="module")
def lab(project: Project) -> Lab:
    """A team for training jobs; what one test brings up is the next one's to change, or to take away."""
    project.stack("prod")
    return Lab(project)
