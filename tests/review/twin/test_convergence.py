"""A change that is applied once more."""

from typing import Any

import pytest

from components.base.objects import Manifest
from review.twin.client import ApiError
from review.twin.convergence import replicas_and_autoscaler, second_apply
from review.twin.play import Played
from review.twin.timing import READY_AFTER
from tests.edits import drop, edited, put
from tests.review.twin.fake import FakeClient, with_uid
from tests.review.twin.previews import preview_of
from tests.review.twin.world import deployment, manifest

WEB = with_uid(deployment("web", "web", 3))
(STEP,) = preview_of({}, {"web": WEB}).steps
PLAYED = Played(STEP, WEB, "twin-test", force=False)


def again(live: Manifest | None, error: ApiError | None = None) -> list[tuple[str, Any]]:
    client = FakeClient(*([live] if live else []))
    if error:
        client.errors["dry apply", "web"] = error
    return [(one.code, one.values.get("fields")) for one in second_apply(client, [PLAYED])]


def test_a_change_that_has_converged() -> None:
    live = edited({"a": WEB}, put("a/metadata/resourceVersion", "5"), put("a/spec/paused", False))["a"]
    assert again(live) == []


def test_annotations_of_the_twin_do_not_count() -> None:
    """They are set when a pod is created, and not part of what is applied."""
    live = edited({"a": WEB}, put(f"a/metadata/annotations/{READY_AFTER.replace('/', '~1')}", "1s"))["a"]
    assert again(live) == []


def test_a_field_that_the_cluster_sets_to_another_value() -> None:
    assert again(edited({"a": WEB}, put("a/spec/replicas", 5))["a"]) == [("not-convergent", "spec.replicas")]


def test_conflicts_and_other_errors() -> None:
    assert again(WEB, ApiError(409, "conflict")) == [("not-convergent-conflict", None)]
    assert again(WEB, ApiError(422, "invalid")) == []
    assert again(None) == []


AUTOSCALER = manifest(
    "autoscaling/v2",
    "HorizontalPodAutoscaler",
    "web",
    "web",
    spec={"scaleTargetRef": {"kind": "Deployment", "name": "web"}},
)
WITHOUT = edited({"a": WEB}, drop("a/spec/replicas"))["a"]


@pytest.mark.parametrize(
    ("before", "after", "old", "new", "reported"),
    [
        ([], [AUTOSCALER], WEB, WEB, True),
        ([AUTOSCALER], [AUTOSCALER], WITHOUT, WEB, True),
        ([AUTOSCALER], [AUTOSCALER], WEB, WEB, False),
        ([], [AUTOSCALER], WEB, WITHOUT, False),
        ([], [], WEB, WEB, False),
    ],
)
def test_replicas_and_autoscaler(
    before: list[Manifest], after: list[Manifest], old: Manifest, new: Manifest, reported: bool
) -> None:
    steps = preview_of({"web": old}, {"web": new}).steps
    assert bool(list(replicas_and_autoscaler(steps, before, after))) is reported
