"""The golden files of reviews."""

import copy
import json

from config import load_file
from config.render import objects
from tests.review.golden import PROJECT, as_text, current
from tests.review.prod import FILE, GIVEN, step


def test_the_recorded_preview_has_the_objects_of_the_prod_stack() -> None:
    """If this fails: make golden."""
    assert FILE.read_text(encoding="utf-8") == as_text(current(GIVEN))
    before = {one["urn"].split("::")[-1]: one["oldState"]["inputs"] for one in GIVEN["steps"] if "oldState" in one}
    assert before == dict(objects(load_file("prod", PROJECT)))


def test_operations_match_the_inputs() -> None:
    for one in GIVEN["steps"]:
        before, after = ((one.get(side) or {}).get("inputs") for side in ("oldState", "newState"))
        if before is None or after is None:
            assert one["op"] == ("create" if before is None else "delete")
        else:
            assert (one["op"] == "same") == (before == after), one["urn"]


def test_a_stale_preview_is_corrected_and_keeps_what_the_engine_recorded() -> None:
    stale = copy.deepcopy(GIVEN)
    step(stale, "model-serving-deployment")["newState"]["inputs"]["spec"]["replicas"] = 7
    stale["steps"] = [one for one in stale["steps"] if not one["urn"].endswith("::model-serving-service")]
    corrected = current(stale)
    assert step(corrected, "model-serving-deployment") == step(GIVEN, "model-serving-deployment")
    service = step(corrected, "model-serving-service")
    assert service["op"] == "update"
    assert "outputs" not in service["oldState"]
    assert json.loads(as_text(corrected)) == corrected
