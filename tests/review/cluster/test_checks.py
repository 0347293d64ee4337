"""All checks of a change against a cluster."""

import json
from typing import Any

from review.cluster.checks import check
from review.cluster.kubectl import Cluster, ForbiddenError, UnansweredError
from review.cluster.live_state import with_live_state
from review.cluster.report import Report
from review.messages import Message
from review.preview import UNKNOWN_TEXT
from tests.review.cluster.kubectl import TIMEOUT, Answers
from tests.review.cluster.table import SERVING, Table, pod, preview
from tests.review.prod import codes, given, inputs, parsed


def reasons(found: Report) -> set[str]:
    """The codes of the reasons of all notes."""
    return {reason.code for note in found.notes if isinstance(reason := note.values["reason"], Message)}


def test_a_change_that_the_cluster_accepts() -> None:
    cluster = Table()
    assert check(preview(), cluster) == Report()
    assert len(cluster.dry_runs) == 3  # a pod of the Deployment and of each Job
    assert all("serviceAccountName" not in one["spec"] for one in cluster.dry_runs)  # the stack creates them


def test_all_checks_are_part_of_the_report() -> None:
    cluster = Table(denial="no", denied=1, pods=[pod("debug")])
    cluster.nodes = []
    volumes = [{"name": "m", "configMap": {"name": "settings"}}]
    report = check(preview(volumes=volumes), cluster)
    assert set(codes(report.problems)) == {"permission-denied", "admission-denied", "reference-not-found"}
    assert set(codes(report.warnings)) == {"node-labels-not-found"}
    assert report.other_pods == (pod("debug"),)


def moved(namespace: str, *, own: bool = False) -> Report:
    """The report of a new job in another namespace, which the change may create."""
    content = given()
    for name in ("finetune-job", "finetune-service-account"):
        inputs(content, name)["metadata"]["namespace"] = namespace
    if own:
        manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        state = {"type": "kubernetes:core/v1:Namespace", "inputs": manifest}
        content["steps"].append({"op": "create", "urn": "urn:pulumi:prod::p::t::n", "newState": state})
    return check(parsed(content), Table())


def test_a_namespace_that_does_not_exist() -> None:
    (problem,) = moved("lost").problems
    assert problem.code == "namespace-not-found"
    assert problem.values == {"target": "Job lost/finetune", "namespace": "lost"}


def test_a_namespace_that_the_same_change_creates() -> None:
    report = moved("fresh", own=True)
    assert [problem for problem in report.problems if problem.code != "kind-not-served"] == []
    assert codes(report.notes) == ["workload-not-checked"]
    assert reasons(report) == {"namespace-created"}


def test_a_namespace_that_may_not_be_read_is_taken_as_existing() -> None:
    cluster = Table(errors={"namespace": ForbiddenError("no")})
    assert check(preview(), cluster) == Report()
    assert len(cluster.dry_runs) == 3


def test_a_workload_with_unknown_values() -> None:
    report = check(preview(nodeSelector=UNKNOWN_TEXT), Table())
    (note,) = report.notes
    assert (note.code, note.values["target"]) == ("workload-not-checked", SERVING)
    assert reasons(report) == {"unknown-values"}


def test_a_cluster_that_fails_after_its_first_answer_is_not_an_empty_one(answers: Answers) -> None:
    answers("*readyz*) ;;")
    cluster = Cluster()
    cluster.reach()
    assert with_live_state(preview(), cluster) == preview()
    report = check(preview(), cluster)
    assert (report.problems, report.warnings, report.other_pods) == ((), (), ())
    assert reasons(report) == {"unanswered"}
    assert len({note.text for note in report.notes}) == len(report.notes)
    noted: set[tuple[str, Any]] = {(note.code, note.values.get("target")) for note in report.notes}
    assert noted >= {
        ("live-state-not-checked", "Service ml-serving/model-api"),
        ("kind-not-checked", None),
        ("permission-not-checked", None),
        ("workload-not-checked", SERVING),
        ("admission-not-checked", SERVING),
        ("nodes-not-checked", SERVING),
        ("other-pods-not-checked", None),
    }


def test_without_an_answer_permissions_are_a_note(answers: Answers) -> None:
    deployments = json.dumps({"resources": [{"name": "deployments", "kind": "Deployment", "namespaced": True}]})
    answers(f"*/apis/apps/v1*) echo '{deployments}' ;;")
    (note,) = [note for note in check(preview(), Cluster()).notes if note.code == "permissions-not-checked"]
    error = getattr(note.values["reason"], "values", {})["error"]
    assert isinstance(error, UnansweredError)
    assert str(error) == TIMEOUT
