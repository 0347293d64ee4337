"""The review of a change, as data."""

import pytest

from policies import RULES
from review.cluster.report import Report
from review.messages import ADMISSION_DENIED, NODE_LABELS_NOT_FOUND, NOT_QUERIED
from review.preview import UNKNOWN_TEXT
from review.review import review
from review.twin.report import TwinReport
from tests.review.prod import POOLS, TODAY, codes, given, inputs, parsed, reviewed, step


def test_a_change_with_interruptions_needs_attention() -> None:
    made = reviewed(given())
    assert made.verdict == "attention"
    assert made.counts == {"create": 2, "replace": 1, "update": 4}
    assert made.problems == ()
    assert codes(made.notes) == ["cluster-not-checked"]


def test_no_changes() -> None:
    preview = given()
    existing = [one for one in preview["steps"] if "oldState" in one]
    preview["steps"] = [{**one, "op": "same", "newState": one["oldState"]} for one in existing]
    assert reviewed(preview).verdict == "unchanged"


def test_a_change_without_interruptions_is_clear() -> None:
    preview = given()
    preview["steps"] = [step(preview, "data-pipeline-quota")]
    assert reviewed(preview).verdict == "clear"


def test_a_preview_that_fails_is_incomplete() -> None:
    preview = given()
    preview["diagnostics"] = [
        {"severity": "error", "message": "error: Pulumi.prod.yaml: it is invalid\n  fix it"},
        {"severity": "warning", "message": "warning: old"},
    ]
    made = reviewed(preview)
    assert made.verdict == "blocked"
    assert codes((*made.problems, *made.warnings)) == ["preview-failed", "preview-warning"]
    assert made.problems[0].text == "Pulumi.prod.yaml: it is invalid\n  fix it"
    assert made.components == ()


@pytest.mark.parametrize(
    ("replicas", "strategy", "use"),
    [(8, None, "8"), (9, None, "9"), (7, {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%"}}, "9")],
    ids=["fits", "one replica too many", "too many during a rollout"],
)
def test_a_quota_that_is_exceeded_is_a_problem(replicas: int, strategy: object, use: str) -> None:
    preview = given()
    spec = inputs(preview, "model-serving-deployment")["spec"]
    spec.update(replicas=replicas, **({"strategy": strategy} if strategy else {}))
    made = reviewed(preview)
    found = [p for p in made.problems if p.values["resource"] == "requests.nvidia.com/gpu"]
    assert codes(found) == ([] if use == "8" else ["quota-exceeded"])
    for problem in found:
        target = "ResourceQuota ml-serving/ml-serving-quota"
        assert problem.values == {
            "target": target, "hard": "8", "resource": "requests.nvidia.com/gpu", "used": use,
        }  # fmt: skip
    assert made.verdict == ("blocked" if found else "attention")


def test_a_finding_of_a_mandatory_rule_is_a_problem() -> None:
    preview = given()
    containers = inputs(preview, "model-serving-deployment")["spec"]["template"]["spec"]["containers"]
    containers[0]["image"] = "myregistry/bert-serving:latest"
    (problem,) = reviewed(preview).problems
    assert problem.code == "policy-violated"
    assert problem.values["rule"] == "image-pinned"
    assert problem.values["target"] == "Deployment ml-serving/model-serving"
    assert problem.fix == RULES["image-pinned"].fix
    preview["config"]["policies:severity"] = '{"image-pinned": "advisory"}'
    made = reviewed(preview)
    assert made.verdict == "attention"
    (found,) = [one for one in made.findings if one.new]
    assert (found.finding.rule.id, found.level) == ("image-pinned", "advisory")


def test_a_finding_of_the_deployed_objects_is_not_new() -> None:
    preview = given()
    for side in ("oldState", "newState"):
        state = step(preview, "model-serving-deployment")[side]
        state["inputs"]["spec"]["template"]["spec"]["automountServiceAccountToken"] = True
    (found,) = [one for one in reviewed(preview).findings if one.finding.rule.id == "no-api-token"]
    assert not found.new


def test_an_exempted_finding() -> None:
    preview = given()
    containers = inputs(preview, "model-serving-deployment")["spec"]["template"]["spec"]["containers"]
    containers[0]["image"] = "myregistry/bert-serving:latest"
    preview["config"]["policies:exceptions"] = (
        '[{"rule": "image-pinned", "object": "Deployment ml-serving/*", "reason": "until the next release", '
        '"until": "2026-06-30"}]'
    )
    made = reviewed(preview)
    assert made.problems == ()
    assert [one.finding.rule.id for one in made.exempted] == ["image-pinned"]


def test_invalid_settings_of_the_rules_are_a_problem() -> None:
    preview = given()
    preview["config"]["policies:severity"] = '{"image-pined": "advisory"}'
    made = reviewed(preview)
    assert codes(made.problems) == ["policy-settings-invalid"]
    assert "policies:severity.image-pined" in made.problems[0].text


def test_unknown_values() -> None:
    preview = given()
    deployment = inputs(preview, "model-serving-deployment")
    deployment["spec"]["template"]["spec"]["containers"][0]["image"] = UNKNOWN_TEXT
    deployment["spec"]["replicas"] = UNKNOWN_TEXT
    made = reviewed(preview)
    undetermined = {(one.rule.id, one.target) for one in made.undetermined}
    assert ("image-pinned", "Deployment ml-serving/model-serving") in undetermined
    (note,) = [note for note in made.notes if note.code == "quota-not-checked"]
    assert note.values["namespace"] == "ml-serving"


def test_an_unknown_namespace() -> None:
    preview = given()
    for changed in preview["steps"]:
        metadata = changed.get("newState", {}).get("inputs", {}).get("metadata", {})
        if metadata.get("namespace") == "ml-serving":
            metadata["namespace"] = UNKNOWN_TEXT
    (note,) = [note for note in reviewed(preview).notes if note.code == "quota-not-checked"]
    assert "Deployment model-serving" in str(note.values["namespace"])


def test_changes_that_the_base_already_had_are_pending() -> None:
    base = given()
    inputs(base, "model-serving-deployment")["spec"]["replicas"] = 4
    made = review(parsed(given()), POOLS, TODAY, base=parsed(base))
    assert "Deployment ml-serving/model-serving" not in made.pending
    assert "Service ml-serving/model-api" in made.pending
    assert len(made.pending) == sum(made.counts.values()) - 1


def test_changes_are_grouped_by_team_and_component() -> None:
    made = {(one.team, one.component): one for one in reviewed(given()).components}
    assert ("nlp", "ModelService model-serving") in made
    assert ("data", "TeamNamespace data-pipeline") in made
    (job,) = made["computer-vision", "TrainingJob image-classifier"].objects
    assert (job.op, job.target) == ("replace", "Job ml-experiments/image-classifier-more")
    assert [field.path for field in job.fields] == ["metadata.name", "spec.template.spec.containers[trainer].command"]


def test_a_report_of_the_cluster_is_part_of_the_review() -> None:
    preview = given()
    preview["steps"] = [step(preview, "data-pipeline-quota")]
    problem = ADMISSION_DENIED(target="Deployment a/b", reason="no")
    warning = NODE_LABELS_NOT_FOUND(target="Deployment a/b", labels="a=b")
    blocked = review(parsed(preview), POOLS, TODAY, report=Report(problems=(problem,)))
    assert (blocked.verdict, blocked.problems) == ("blocked", (problem,))
    warned = review(parsed(preview), POOLS, TODAY, report=Report(warnings=(warning,), notes=(NOT_QUERIED(),)))
    assert (warned.verdict, warned.warnings, codes(warned.notes)) == ("attention", (warning,), ["not-queried"])


def test_other_pods_use_the_quota_too() -> None:
    preview = given()
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "debug", "namespace": "ml-serving"},
        "spec": {"containers": [{"name": "c", "resources": {"limits": {"nvidia.com/gpu": "4"}}}]},
    }
    made = review(parsed(preview), POOLS, TODAY, report=Report(other_pods=(pod,)))
    assert codes(made.problems) == ["quota-exceeded"]
    assert made.problems[0].values["used"] == "9"


def test_an_advisory_finding_needs_attention_unless_the_change_was_tried() -> None:
    preview = given()
    surging = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    one = step(preview, "model-serving-deployment")
    one["newState"]["inputs"]["spec"]["strategy"] = surging
    preview["steps"] = [one]
    assert review(parsed(preview), POOLS, TODAY).verdict == "attention"
    assert review(parsed(preview), POOLS, TODAY, twin=TwinReport()).verdict == "clear"


def test_a_violation_that_was_there_before_does_not_block() -> None:
    preview = given()
    one = step(preview, "model-serving-deployment")
    for state in ("oldState", "newState"):
        one[state]["inputs"]["spec"]["template"]["spec"]["hostNetwork"] = True
    preview["steps"] = [one]
    made = review(parsed(preview), POOLS, TODAY)
    assert [(found.finding.rule.id, found.new) for found in made.findings if found.level == "mandatory"]
    assert "policy-violated" not in codes(made.problems)
