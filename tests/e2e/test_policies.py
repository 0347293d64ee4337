"""The policy pack in the real engine."""

from collections.abc import Iterator
from typing import Any

import pytest

from policies import RULES
from tests.e2e.project import Project

# A workload whose image is unknown until the load balancer of another one exists.
_LATE = """
from components import TrainingJob

image = services["model-serving"].external_address.apply(lambda _: "trainer:latest")
TrainingJob("late", {"namespace": "data-pipeline", "labels": {"team": "data"}, "image": image, "timeoutSeconds": 30})
"""


@pytest.fixture
def stack(project: Project) -> Iterator[Project]:
    """The prod stack, whose edits are reverted."""
    assert project.run("pulumi", "stack", "select", "--create", "prod").returncode == 0
    yield project
    project.restore("prod")


def preview(project: Project) -> tuple[int, str]:
    done = project.run("pulumi", "preview", "--stack", "prod", "--policy-pack", "policies", "--color", "never")
    output = done.stdout + done.stderr
    assert "Traceback" not in output
    return done.returncode, output


def violate(settings: dict[str, Any]) -> None:
    """Violate two mandatory rules."""
    settings["modelServices"]["model-serving"].update(image="myregistry/bert-serving:latest", env={"HF_TOKEN": "hf_x"})


def configure(project: Project, text: str) -> None:
    path = project.folder / "Pulumi.prod.yaml"
    content = path.read_text(encoding="utf-8")
    path.write_text(content.replace("config:\n", f"config:\n{text}", 1), encoding="utf-8")


def test_the_committed_stack_passes(stack: Project) -> None:
    status, output = preview(stack)
    assert status == 0, output
    assert "ml-platform@v1.0.0 (local: policies)" in output
    assert "[mandatory]" not in output


def test_mandatory_findings_fail_the_preview_with_reason_and_fix(stack: Project) -> None:
    stack.edit("prod", violate)
    status, output = preview(stack)
    assert status != 0
    assert "[mandatory]  image-pinned  (kubernetes:apps/v1:Deployment: model-serving-deployment)" in output
    assert "[mandatory]  no-secret-in-env  (kubernetes:apps/v1:Deployment: model-serving-deployment)" in output
    assert "container server" in output
    assert "myregistry/bert-serving:latest" in output
    for rule in ("image-pinned", "no-secret-in-env"):
        assert RULES[rule].reason in output
        assert RULES[rule].fix in output
    assert "hf_x" not in output.split("Policies:")[1]


def test_the_stack_sets_severities_and_exceptions(stack: Project) -> None:
    stack.edit("prod", violate)
    configure(
        stack,
        "  policies:severity: {image-pinned: advisory}\n"
        "  policies:exceptions:\n"
        "    - rule: no-secret-in-env\n"
        "      object: Deployment ml-serving/*\n"
        "      reason: a token of the sandbox has no permissions\n"
        "      until: 2999-12-31\n",
    )
    status, output = preview(stack)
    assert status == 0, output
    assert "[advisory]  image-pinned" in output
    assert "no-secret-in-env" not in output


def test_an_expired_exception_and_invalid_settings_fail_the_preview(stack: Project) -> None:
    stack.edit("prod", violate)
    configure(
        stack,
        "  policies:severity: {image-pined: advisory}\n"
        "  policies:exceptions:\n"
        "    - {rule: image-pinned, object: '*/*', reason: not a kind and a name, until: 2001-01-01}\n",
    )
    status, output = preview(stack)
    assert status != 0
    assert "policies:severity.image-pined: " in output
    assert "policies:exceptions[0].object: " in output


def test_an_unknown_value_of_a_preview_is_checked_by_up_before_the_object_is_created(stack: Project) -> None:
    program = stack.folder / "__main__.py"
    original = program.read_text(encoding="utf-8")
    program.write_text(original + _LATE, encoding="utf-8")
    try:
        status, output = preview(stack)
        assert status == 0, output
        up = stack.run(
            "pulumi",
            "up",
            "--stack",
            "prod",
            "--yes",
            "--skip-preview",
            "--policy-pack",
            "policies",
            "--color",
            "never",
        )
        output = up.stdout + up.stderr
        assert up.returncode != 0
        assert "image-pinned" in output
        assert "trainer:latest" in output
        assert stack.names("jobs", "data-pipeline") == []
        assert stack.names("deployments", "ml-serving") == ["model-serving"]
    finally:
        program.write_text(original, encoding="utf-8")
