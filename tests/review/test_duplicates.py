"""Messages about the same object and cause."""

from dataclasses import replace

import pytest

from review import messages, symptoms, twin_messages
from review.duplicates import without_covered, without_known
from review.messages import Message
from review.twin.report import TwinReport
from tests.review.twin.previews import preview_of
from tests.review.twin.world import manifest

WEB, OTHER = "Deployment web/web", "Deployment web/other"
REASON = twin_messages.NO_POD_CREATED()


def quota_used_up() -> Message:
    return next(
        one.kind(quota="quota", requested="", used="", limit="")
        for one in symptoms.SYMPTOMS
        if one.kind.code == "quota-used-up"
    )


def stuck(target: str, reason: Message = REASON) -> Message:
    return twin_messages.UPDATE_STUCK(target=target, ready=0, wanted=1, timeout="10 min", reason=reason)


@pytest.mark.parametrize(
    ("found", "tried", "covered"),
    [
        (messages.ADMISSION_DENIED(target=WEB, reason=REASON), stuck(WEB), True),
        (messages.ADMISSION_DENIED(target=OTHER, reason=REASON), stuck(WEB), False),
        (messages.NODE_LABELS_NOT_FOUND(target=WEB, labels="a=b"), stuck(WEB), True),
        (messages.NAMESPACE_NOT_FOUND(target=WEB, namespace="web"), stuck(WEB), False),
        (
            messages.QUOTA_EXCEEDED(target="ResourceQuota web/quota", resource="pods", hard="1", used="2"),
            stuck(WEB, quota_used_up()),
            True,
        ),
        (
            messages.QUOTA_EXCEEDED(target="ResourceQuota other/quota", resource="pods", hard="1", used="2"),
            stuck(WEB, quota_used_up()),
            False,
        ),
        (
            messages.NAMESPACE_CONTENTS(namespace="web", contents="1 pod"),
            twin_messages.OBJECTS_LOST(cause="deleting Namespace web", objects="Secret web/a"),
            True,
        ),
        (
            messages.NAMESPACE_CONTENTS(namespace="web", contents="1 pod"),
            twin_messages.OBJECTS_LOST(cause="deleting Namespace other", objects="Secret other/a"),
            False,
        ),
    ],
)
def test_what_was_tried_is_kept(found: Message, tried: Message, covered: bool) -> None:
    assert without_covered([found], TwinReport(problems=(tried,))) == (() if covered else (found,))


def test_objects_of_a_kind_that_is_not_served() -> None:
    rejected = twin_messages.APPLY_REJECTED(target="Widget web/a", error='no matches for kind "Widget" in version "v1"')
    report = TwinReport(problems=(rejected,))
    assert without_known(report, [], []) == report
    found = [messages.KIND_NOT_SERVED(kind="Widget", version="v1")]
    assert without_known(report, found, []) == replace(report, problems=())


def test_the_data_of_a_claim_that_the_change_deletes() -> None:
    claim = manifest("v1", "PersistentVolumeClaim", "web", "data")
    lost = twin_messages.DATA_LOST(target="PersistentVolumeClaim web/data", volume="pv", size="10Gi")
    report = TwinReport(problems=(lost,))
    assert without_known(report, [], preview_of({}, {"claim": claim}).steps) == report
    assert without_known(report, [], preview_of({"claim": claim}, {}).steps) == TwinReport()
