"""The review of a change, made of what the real engine says of it."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.project import Project
from tests.review.change import change

GOLDEN = Path(__file__).parent.parent / "review" / "prod-change.md"


@pytest.fixture(scope="module")
def prod(project: Project) -> Project:
    """The prod stack, up."""
    project.stack("prod").up()
    return project


@pytest.fixture
def changed(prod: Project) -> Iterator[Project]:
    """The prod stack, up, with a change that is not."""
    prod.edit("prod", change)
    yield prod
    prod.restore("prod")


def reviewed(project: Project, *arguments: str) -> tuple[int, str]:
    done = project.run(sys.executable, "-m", "review", "--stack", "prod", *arguments)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout + done.stderr


def test_the_page_is_the_one_that_was_read(changed: Project) -> None:
    status, page = reviewed(changed, "--format", "markdown")
    assert status == 0
    address = changed.get("service", "model-api", "ml-serving")["status"]["loadBalancer"]["ingress"][0]["ip"]
    golden = GOLDEN.read_text(encoding="utf-8")
    (of_golden,) = set(re.findall(r"gives up the address ([0-9.]+)", golden))
    assert page.replace(address, of_golden) == golden


def test_no_change(prod: Project) -> None:
    status, page = reviewed(prod)
    assert status == 0
    assert page.startswith("prod: ✅ no changes")


def test_a_stack_that_is_refused(prod: Project) -> None:
    prod.edit("prod", lambda settings: settings["modelServices"]["model-serving"].update(replicas=0))
    try:
        status, page = reviewed(prod)
    finally:
        prod.restore("prod")
    assert status == 1
    assert "ml-platform:modelServices.model-serving.replicas: must be at least 1 (got 0)" in page


def test_a_stack_that_does_not_exist(project: Project) -> None:
    done = project.run(sys.executable, "-m", "review", "--stack", "none")
    assert done.returncode == 2
    assert "no stack named 'none' found" in done.stderr
