"""Changes of what programs and stacks rely on need a line in the changelog."""

import copy
import json
import re

import pulumi
import pytest

from components import VERSION
from components.base.registration import KubernetesObject
from tests.mocks import deploy
from tests.stability import CHANGELOG, RECORD, Record, aliases, current, made, news, problems

RECORDED: Record = json.loads(RECORD.read_text(encoding="utf-8"))
JOB = "ml-platform:index:TrainingJob$kubernetes:batch/v1:Job::job-job"


@pytest.fixture
def changed() -> Record:
    """A copy of the record, to be changed."""
    return copy.deepcopy(RECORDED)


def test_every_change_since_the_last_release_has_a_line_in_the_changelog() -> None:
    """For a release, ``python -m tests.stability`` records the present state."""
    since = news(CHANGELOG.read_text(encoding="utf-8"), RECORDED["version"])
    assert list(problems(RECORDED, current(), aliases(made()), since)) == []


def test_the_record_has_every_role_and_every_argument_with_its_default() -> None:
    names = {urn.split("::")[1] for urn in RECORDED["urns"] if "::" in urn}
    for role in ("deployment", "service", "job", "pod", "jobset", "canary-service", "scaled-object", "quota", "runs"):
        assert any(name.endswith(f"-{role}") for name in names), role
    for record in (RECORDED, current()):
        optional = {
            name
            for name, kind in record["arguments"].items()
            if kind.startswith("optional ") and " output." not in name
        }
        assert record["defaults"].keys() == optional
        assert len(optional) > 100


def test_a_renamed_child_needs_an_alias_and_a_line(changed: Record) -> None:
    changed["urns"] = [urn.replace("::job-job", "::job-run") for urn in RECORDED["urns"]]
    without_alias, without_line, new = problems(RECORDED, changed, set(), "")
    assert without_alias == f"{JOB} is removed, and no child has it as an alias: stacks would delete the object"
    assert without_line == f"{JOB} is removed, and CHANGELOG.md has no line with `-job`"
    assert "job-run is new" in new
    assert list(problems(RECORDED, changed, {JOB}, "- `-job` is renamed to `-run`.")) == []


def test_the_aliases_of_a_resource_are_found() -> None:
    manifest = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "job"}}

    def program() -> None:
        parent = pulumi.ComponentResource("ml-platform:index:TrainingJob", "job")
        before = pulumi.ResourceOptions(parent=parent, aliases=[pulumi.Alias(name="job-job")])
        KubernetesObject("kubernetes:batch/v1:Job", "job-run", manifest, before)

    assert JOB in aliases(deploy(program, preview=True))


def test_a_new_a_removed_and_a_changed_argument_need_a_line(changed: Record) -> None:
    changed["arguments"]["TrainingJob.colour"] = 'optional {"type": "string"}'
    del changed["arguments"]["TrainingJobWaitFor=none"]
    changed["arguments"]["ModelService.replicas"] = 'required {"type": "integer"}'
    assert list(problems(RECORDED, changed, set(), "")) == [
        "ModelService.replicas is changed, and CHANGELOG.md has no line with `replicas`",
        "TrainingJob.colour is new, and CHANGELOG.md has no line with `colour`",
        "TrainingJobWaitFor=none is removed, and CHANGELOG.md has no line with `none`",
    ]
    assert list(problems(RECORDED, changed, set(), "- `colour`, `replicas`\n- `none`")) == []


def test_a_changed_default_needs_a_line(changed: Record) -> None:
    changed["defaults"]["ModelService.revisionHistory"] = 10
    changed["defaults"]["TrainingJob.resources"] = {}
    assert list(problems(RECORDED, changed, set(), "- `resources`")) == [
        "the default of ModelService.revisionHistory is changed, and CHANGELOG.md has no line with `revisionHistory`"
    ]


def test_derived_defaults_are_recorded() -> None:
    defaults = current()["defaults"]
    assert set(defaults["TrainingJob.resources"]["requests"]) == {"cpu", "memory"}
    assert defaults["TrainingJob.sharedMemory"].endswith("Mi")
    assert defaults["ModelService.rollout"] == "surge"
    assert set(defaults["Health.readiness"]) == {"path"}
    assert set(defaults["TeamNamespace.containerLimits"]["default"]) == {"memory", "cpu"}


def test_only_the_changelog_since_the_last_release_counts() -> None:
    changelog = "# Changelog\n\n## Unreleased\n\n- `new`\n\n## 1.1.0\n\n- `old`\n\n## 1.0.0\n\n- first\n"
    assert "`new`" in news(changelog, "1.1.0")
    assert "`old`" not in news(changelog, "1.1.0")


def test_the_version_is_semantic_and_has_a_section_in_the_changelog() -> None:
    assert re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", VERSION)
    assert f"\n## {VERSION}\n" in CHANGELOG.read_text(encoding="utf-8")
