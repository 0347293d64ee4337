"""The admission of the pods of a workload."""

from collections.abc import Iterator
from typing import Any

import pytest

from review.cluster.admission import check_admission
from review.cluster.kubectl import UnansweredError
from review.messages import Message
from review.preview import Preview, with_unknown
from tests.review.cluster.table import SERVING, Table, preview, updating
from tests.review.prod import codes


def admitted(cluster: Table, change: Preview | None = None, own: set[tuple[str, str]] | None = None) -> list[Message]:
    """The messages about the Deployment of a change of prod."""

    def found() -> Iterator[Message]:
        for step in change.steps if change else preview().steps:
            if step.urn.endswith("::model-serving-deployment"):
                yield from check_admission(with_unknown(step.after), (change or preview()).steps, own or set(), cluster)

    return list(found())


def test_pods_that_are_admitted() -> None:
    cluster = Table()
    assert admitted(cluster) == []
    (pod,) = cluster.dry_runs
    assert (pod["kind"], pod["metadata"]["generateName"], pod["metadata"]["namespace"]) == (
        "Pod",
        "review-",
        "ml-serving",
    )
    assert pod["metadata"]["labels"]["app"] == "inference-server"


def test_references_to_objects_of_the_stack_are_left_out() -> None:
    cluster = Table()
    admitted(cluster)
    admitted(cluster, own={("ServiceAccount", "model-serving")})
    with_account, without = cluster.dry_runs
    assert with_account["spec"]["serviceAccountName"] == "model-serving"
    assert "serviceAccountName" not in without["spec"]


def test_a_priority_class_of_the_stack_is_left_out() -> None:
    cluster = Table()
    admitted(cluster, preview(priorityClassName="high"), own={("PriorityClass", "high")})
    assert "priorityClassName" not in cluster.dry_runs[0]["spec"]


@pytest.mark.parametrize(
    ("error", "reason", "values"),
    [
        (
            'Error from server (Forbidden): pods "review-x" is forbidden: no PriorityClass with name gold was found',
            "priority-class-not-found",
            {"name": "gold"},
        ),
        (
            'violates PodSecurity "restricted:latest": privileged (container "server")',
            "pod-security-violated",
            {"level": "restricted", "violations": 'privileged (container "server")'},
        ),
        ("Error from server (Forbidden): something new", "unrecognized-denial", {"error": "something new"}),
    ],
)
def test_pods_that_are_denied(error: str, reason: str, values: dict[str, str]) -> None:
    (problem,) = admitted(Table(denial=error))
    assert (problem.code, problem.values["target"]) == ("admission-denied", SERVING)
    meaning = problem.values["reason"]
    assert isinstance(meaning, Message)
    assert (meaning.code, meaning.values) == (reason, values)


def test_a_used_up_quota_is_ignored() -> None:
    """It counts the pods that a rollout replaces; the review computes the use itself."""
    assert admitted(Table(denial="exceeded quota: q, requested: pods=1, used: pods=3, limited: pods=3")) == []


def test_a_user_who_may_not_create_pods() -> None:
    (note,) = admitted(Table(denial='pods is forbidden: User "u" cannot create resource "pods"'))
    assert (note.code, getattr(note.values["reason"], "code", "")) == ("admission-not-checked", "forbidden")


def test_without_an_answer_there_is_a_note() -> None:
    (note,) = admitted(Table(errors={"dry_run": UnansweredError("timeout")}))
    assert (note.code, getattr(note.values["reason"], "code", "")) == ("admission-not-checked", "unanswered")


ENFORCE = "pod-security.kubernetes.io/enforce"
PRIVILEGED = 'violates PodSecurity "restricted:latest": hostNetwork'
BASELINE = {"labels": {ENFORCE: "baseline"}}


@pytest.mark.parametrize(
    ("error", "name", "changed", "deciding"),
    [
        (PRIVILEGED, "ml-serving-namespace", {"metadata": BASELINE}, "Namespace ml-serving"),
        (
            "maximum cpu usage per Container is 2, but limit is 4",
            "ml-serving-container-limits",
            {},
            "LimitRange ml-serving/ml-serving-limits",
        ),
        (
            "failed quota: q: must specify limits.cpu for: server",
            "ml-serving-quota",
            {},
            "ResourceQuota ml-serving/ml-serving-quota",
        ),
    ],
)
def test_a_denial_that_the_change_itself_may_resolve_is_a_note(
    error: str, name: str, changed: dict[str, Any], deciding: str
) -> None:
    (note,) = admitted(Table(denial=error), updating(name, **changed))
    reason = note.values["reason"]
    assert isinstance(reason, Message)
    assert (note.code, reason.code) == ("admission-not-checked", "denial-may-change")
    assert reason.values["changed"] == deciding


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("ml-serving-namespace", {"metadata": {"annotations": {"a": "b"}}}),
        ("ml-serving-container-limits", {}),
        ("ml-training-namespace", {"metadata": BASELINE}),
    ],
    ids=["a namespace with the same standard", "a LimitRange", "another namespace"],
)
def test_a_denial_that_other_changes_do_not_resolve_is_a_problem(name: str, changed: dict[str, Any]) -> None:
    assert codes(admitted(Table(denial=PRIVILEGED), updating(name, **changed))) == ["admission-denied"]
