"""A sandbox for each end-to-end test module, independent of the one that a developer may have running.

The modules run in parallel: most of the time is spent waiting for the cluster.
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

# The slowest modules, slowest first. They start first, and the others fill the remaining time.
_SLOWEST = (
    "test_ownership", "test_model_service", "test_training_job", "test_plugin", "test_model_service_options",
    "test_team_life", "test_review", "test_stack", "test_training_job_forms", "test_render", "test_distribution",
    "test_examples", "test_policies", "test_docs", "test_capacity", "test_pipeline", "test_sandbox",
    "test_team_namespace",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the modules. The tests of a module keep their order."""
    rank = {name: index for index, name in enumerate(_SLOWEST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the tables that tests have recorded, in any worker process."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, table in report.user_properties if report.when == "call" else []:
            if name == "table":
                terminalreporter.section(report.nodeid.partition("::")[2])
                terminalreporter.write_line(str(table))


@pytest.fixture(scope="session", autouse=True)
def programs() -> None:
    """Build the toolchain before the first test, so that the build does not count towards a test's timeout."""
    toolchain.install(Layout(SOURCE))


@pytest.fixture(scope="session", autouse=True)
def save_cpu_time() -> Iterator[None]:
    """Reduce the CPU time that the tests use.

    Pulumi and its provider collect garbage less often. Python compiles the modules that are imported, and
    caches their bytecode, instead of all modules that pip installs.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOGC", "400")
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        # For an option that begins with --no, pip takes "no" as true.
        patch.setenv("PIP_NO_COMPILE", "no")
        yield


@pytest.fixture(scope="module")
def project(request: pytest.FixtureRequest) -> Iterator[Project]:
    """A copy of the project with a running cluster that has the nodes of the prod stack."""
    for copy in fresh_copy(Path(request.path).stem):
        started = copy.start("prod")
        assert started.returncode == 0, started.stdout + started.stderr
        yield copy


@pytest.fixture(scope="module")
def api(project: Project) -> Iterator[Api]:
    with closing(Api(project.layout)) as api:
        yield api


@pytest.fixture
def checkout(request: pytest.FixtureRequest) -> Iterator[Project]:
    """A copy of the project without a cluster."""
    yield from fresh_copy(Path(request.path).stem)


def fresh_copy(name: str) -> Iterator[Project]:
    """A copy of the project without a cluster. It is stopped and deleted afterwards."""
    folder = SOURCE / ".sandbox" / "e2e" / name
    servers.stop(Layout(folder).root)  # left behind by a killed run
    shutil.rmtree(folder, ignore_errors=True)
    yield Project.copy(folder)
    servers.stop(Layout(folder).root)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def lab(project: Project) -> Lab:
    """A team for training jobs. The tests of a module share it: a test may update or delete the jobs of another."""
    project.stack("prod")
    return Lab(project)
