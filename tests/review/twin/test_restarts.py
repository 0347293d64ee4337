"""Whether pods are admitted again."""

from typing import Any

import pytest

from components.base.objects import Manifest
from review.twin.client import ApiError
from review.twin.owners import key
from review.twin.restarts import affected, denials
from tests.edits import edited, put
from tests.review.twin.fake import FakeClient, pod, with_uid
from tests.review.twin.previews import preview_of
from tests.review.twin.world import manifest, namespace, world

OBJECTS = {name: with_uid(one) for name, one in world().items()}


def names(before: dict[str, Manifest], after: dict[str, Manifest]) -> set[str]:
    found = affected(preview_of(before, after), list(OBJECTS.values()))
    return {one["metadata"]["name"] for one in found}


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("web/spec/replicas", 4, {"web"}),
        ("web-service/spec/selector/app", "b", set()),
        ("quota/spec/hard/pods", "2", {"web"}),
        ("ns-other/metadata/labels", {"a": "b"}, {"root"}),
        ("high/value", 2, {"web", "llm", "db", "root"}),
    ],
)
def test_affected_workloads(path: str, value: Any, expected: set[str]) -> None:
    assert names(OBJECTS, edited(OBJECTS, put(path, value))) == expected


def test_admission_policies_affect_all_workloads() -> None:
    policy = manifest("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", "", "policy")
    assert names({}, {"policy": policy}) == {"web", "llm", "db", "root"}


def test_pods_of_workloads_are_not_workloads_themselves() -> None:
    owned = pod("a", owner=OBJECTS["web"])
    preview = preview_of({"ns": namespace("web")}, {})
    assert affected(preview, [owned, OBJECTS["web"]]) == [OBJECTS["web"]]


def test_denials() -> None:
    client = FakeClient()
    bare = pod("bare")
    bare["spec"] = {"nodeName": "a", "priority": 1, "containers": [{"name": "main"}]}
    assert denials(client, [OBJECTS["web"], bare]) == {}
    client.errors["dry create", "restart-"] = ApiError(403, "forbidden: exceeded quota")
    assert denials(client, [OBJECTS["web"]]) == {key(OBJECTS["web"]): "forbidden: exceeded quota"}
    assert client.changes() == []
