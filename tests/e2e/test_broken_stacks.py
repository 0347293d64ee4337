"""Invalid stacks, with the real engine: their errors are reported, nothing is registered, no traceback is printed."""

from collections.abc import Iterator

import pytest
import yaml

from sandbox import toolchain
from tests.broken import BROKEN
from tests.e2e.conftest import fresh_copy
from tests.e2e.project import Project, reports

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def engine() -> Iterator[Project]:
    """The engine without a cluster, to which it must not connect."""
    for project in fresh_copy("broken"):
        toolchain.install(project.layout)
        assert project.run("pulumi", "stack", "init", "prod").returncode == 0
        yield project


@pytest.mark.parametrize("broken", BROKEN)
def test_rejected_by_preview(broken: str, engine: Project) -> None:
    expected = BROKEN[broken]
    settings = expected.settings()
    content = yaml.safe_load((engine.folder / "Pulumi.prod.yaml").read_text(encoding="utf-8"))
    content["config"] = {f"ml-platform:{key}": value for key, value in settings.items()}
    (engine.folder / "Pulumi.prod.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    preview = engine.run("pulumi", "preview", "--stack", "prod", "--color", "never")
    output = preview.stdout + preview.stderr
    assert preview.returncode != 0
    assert reports(output, expected.path, expected.code)
    assert "Traceback" not in output
    assert "ml-platform:index:" not in output
    assert "kubernetes:" not in output
