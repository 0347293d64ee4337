"""The permissions of the deployment."""

from review import messages
from review.cluster.kubectl import UnansweredError
from review.cluster.permissions import check_permissions
from tests.review.cluster.table import Table, preview
from tests.review.prod import codes

STEPS = preview().steps


def test_all_permissions() -> None:
    assert list(check_permissions(STEPS, Table())) == []


def test_a_missing_permission_is_a_problem() -> None:
    (problem,) = check_permissions(STEPS, Table(denied=1))
    assert problem.code == "permission-denied"
    assert set(problem.values) == {"verb", "resource", "scope"}
    assert str(problem.values["scope"]).startswith("the namespace ")


def test_a_user_who_may_change_nothing_is_a_reviewer() -> None:
    found = list(check_permissions(STEPS, Table(denied=1000)))
    assert found == [messages.PERMISSIONS_NOT_CHECKED(reason=messages.READ_ONLY_USER())]


def test_without_an_answer_there_is_a_note() -> None:
    error = UnansweredError("timeout")
    expected = messages.PERMISSIONS_NOT_CHECKED(reason=messages.UNANSWERED(error=error))
    assert list(check_permissions(STEPS, Table(errors={"denied": error}))) == [expected]
    assert set(codes(check_permissions(STEPS, Table(errors={"kinds": error})))) == {"permission-not-checked"}
