"""What others rely on does not change unsaid."""

import copy
import json
import re

import pulumi

from components import VERSION
from components.base.registration import KubernetesObject
from tests.mocks import deploy
from tests.stability import CHANGELOG, RECORD, Record, aliases, current, made, news, problems

RECORDED: Record = json.loads(RECORD.read_text(encoding="utf-8"))
JOB = "ml-platform:index:TrainingJob$kubernetes:batch/v1:Job::job-job"


def test_nothing_has_changed_since_the_last_release_without_a_line_in_the_changelog() -> None:
    """Released anew? ``python -m tests.stability`` records it."""
    since = news(CHANGELOG.read_text(encoding="utf-8"), RECORDED["version"])
    assert list(problems(RECORDED, current(), aliases(made()), since)) == []


def test_the_record_has_every_role_that_the_components_document() -> None:
    names = {urn.split("::")[1] for urn in RECORDED["urns"] if "::" in urn}
    for role in ("deployment", "service", "job", "pod", "jobset", "canary-service", "scaled-object", "quota", "runs"):
        assert any(name.endswith(f"-{role}") for name in names), role
    assert len(RECORDED["arguments"]) > 200


def test_a_renamed_child_takes_an_alias_and_a_line() -> None:
    renamed = copy.deepcopy(RECORDED)
    renamed["urns"] = [urn.replace("::job-job", "::job-run") for urn in RECORDED["urns"]]
    gone, unsaid, new = problems(RECORDED, renamed, set(), "")
    assert gone == f"{JOB} is gone, and nothing has it as an alias: stacks would delete the object"
    assert unsaid == f"{JOB} is gone, and CHANGELOG.md has no line with `-job`"
    assert "job-run is new" in new
    assert list(problems(RECORDED, renamed, {JOB}, "- `-job` is now called `-run`.")) == []


def test_an_alias_is_found_where_a_resource_has_one() -> None:
    manifest = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "job"}}

    def program() -> None:
        parent = pulumi.ComponentResource("ml-platform:index:TrainingJob", "job")
        before = pulumi.ResourceOptions(parent=parent, aliases=[pulumi.Alias(name="job-job")])
        KubernetesObject("kubernetes:batch/v1:Job", "job-run", manifest, before)

    assert JOB in aliases(deploy(program, preview=True))


def test_an_argument_that_is_new_gone_or_of_another_type_takes_a_line() -> None:
    changed = copy.deepcopy(RECORDED)
    changed["arguments"]["TrainingJob.colour"] = 'optional {"type": "string"}'
    del changed["arguments"]["TrainingJobWaitFor=none"]
    changed["arguments"]["ModelService.replicas"] = 'required {"type": "integer"}'
    assert list(problems(RECORDED, changed, set(), "")) == [
        "ModelService.replicas is changed, and CHANGELOG.md has no line with `replicas`",
        "TrainingJob.colour is new, and CHANGELOG.md has no line with `colour`",
        "TrainingJobWaitFor=none is gone, and CHANGELOG.md has no line with `none`",
    ]
    assert list(problems(RECORDED, changed, set(), "- `colour`, `replicas`\n- `none`")) == []


def test_only_what_was_said_since_the_last_release_counts() -> None:
    changelog = "# Changelog\n\n## Unreleased\n\n- `new`\n\n## 1.1.0\n\n- `old`\n\n## 1.0.0\n\n- first\n"
    assert "`new`" in news(changelog, "1.1.0")
    assert "`old`" not in news(changelog, "1.1.0")


def test_the_version_is_semantic_and_the_changelog_knows_it() -> None:
    assert re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", VERSION)
    assert f"\n## {VERSION}\n" in CHANGELOG.read_text(encoding="utf-8")
