"""The report of the checks against a cluster."""

from review import messages
from review.cluster.kubectl import ForbiddenError, UnansweredError
from review.cluster.report import Report, merged, not_queried, reason


def test_messages_are_merged_by_group() -> None:
    problem = messages.KIND_NOT_SERVED(kind="A", version="v1")
    warning = messages.NODE_LABELS_NOT_FOUND(target="Job a/b", labels="a=b")
    note = messages.NODES_NOT_CHECKED(target="Job a/b", reason=messages.FORBIDDEN())
    pod = {"kind": "Pod"}
    assert merged([note, warning, problem], [pod]) == Report((problem,), (warning,), (note,), (pod,))


def test_equal_notes_are_listed_once() -> None:
    notes = [messages.NODES_NOT_CHECKED(target="Job a/b", reason=messages.UNANSWERED(error=OSError("x"))) for _ in "12"]
    assert len(merged(notes).notes) == 1


def test_a_cluster_that_was_not_queried() -> None:
    (note,) = not_queried().notes
    assert (note.code, note.values["reason"]) == ("cluster-not-checked", messages.NOT_QUERIED())
    (note,) = not_queried("timeout").notes
    assert note.values["reason"] == messages.UNREACHABLE(error="timeout")


def test_the_reason_of_an_error() -> None:
    assert reason(ForbiddenError("no")).code == "forbidden"
    unanswered = UnansweredError("timeout")
    assert reason(unanswered) == messages.UNANSWERED(error=unanswered)
