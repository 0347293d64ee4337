"""The live state of objects."""

from typing import Any

from review.cluster.kubectl import ForbiddenError, UnansweredError
from review.cluster.live_state import check_live_state, with_live_state
from tests.review.cluster.table import Table, preview
from tests.review.prod import codes

LIVE: dict[str, Any] = {"status": {"replicas": 7}}


def test_changed_objects_have_their_live_state() -> None:
    found = with_live_state(preview(), Table({"model-serving": LIVE, "ml-serving": {"status": "unused"}}))
    for step in found.steps:
        if step.urn.endswith("::model-serving-deployment"):
            assert step.live == LIVE
        elif not step.is_change:
            assert step.live.get("status") != "unused"


def test_objects_that_do_not_exist_keep_their_last_known_state() -> None:
    assert with_live_state(preview(), Table()) == preview()


def test_an_unreadable_object_keeps_its_last_known_state() -> None:
    cluster = Table(errors={"Deployment": ForbiddenError("no"), "Service": UnansweredError("timeout")})
    assert with_live_state(preview(), cluster) == preview()
    (note,) = check_live_state(preview().steps, cluster)
    assert codes([note]) == ["live-state-not-checked"]
    assert note.values["target"] == "Service ml-serving/model-api"


def test_nothing_to_report() -> None:
    assert list(check_live_state(preview().steps, Table())) == []
