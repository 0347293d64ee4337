"""The objects of a cluster after the steps of a preview."""

from typing import Any

from components.base.objects import Manifest
from review.effects.applied import applied
from review.preview import UNKNOWN_TEXT, Step
from tests.review.effects.objects import made, service


def step(op: str, before: Manifest | None, after: Manifest | None) -> Step:
    return Step(op, f"urn:{op}", "", before, after, {})


def ports(manifest: Manifest) -> list[Any]:
    return [port["port"] for port in manifest["spec"]["ports"]]


OTHER = made("ConfigMap", "other", data={})


def test_objects_are_created_and_deleted() -> None:
    live = [service(), OTHER]
    assert applied(live, [step("delete", service(), None)]) == [OTHER]
    assert applied([OTHER], [step("create", None, service())]) == [OTHER, service()]


def test_an_object_that_exists_is_adopted() -> None:
    (found,) = applied([service(clusterIP="10.0.0.1")], [step("create", None, service())])
    assert found["spec"]["clusterIP"] == "10.0.0.1"


def test_an_update_that_renames_an_object() -> None:
    (found,) = applied([service()], [step("update", service(), service("other"))])
    assert found["metadata"]["name"] == "other"


def test_an_update_keeps_what_the_stack_does_not_set() -> None:
    live = service(clusterIP="10.0.0.1", sessionAffinity="ClientIP")
    before = service(sessionAffinity="ClientIP")
    (found,) = applied([live], [step("update", before, service(type="LoadBalancer"))])
    assert found["spec"]["clusterIP"] == "10.0.0.1"
    assert found["spec"]["type"] == "LoadBalancer"
    assert "sessionAffinity" not in found["spec"]


def test_an_update_replaces_lists() -> None:
    (found,) = applied([service()], [step("update", service(), service(ports=[{"port": 81}]))])
    assert ports(found) == [81]


def test_a_replacement_keeps_nothing() -> None:
    (found,) = applied([service(clusterIP="10.0.0.1")], [step("replace", service(), service())])
    assert "clusterIP" not in found["spec"]
    (found,) = applied([service()], [step("replace", service(), service("other"))])
    assert found["metadata"]["name"] == "other"


def test_an_unchanged_object_and_one_whose_name_is_unknown() -> None:
    assert applied([service()], [step("same", service(), service())]) == [service()]
    generated = made("ConfigMap", UNKNOWN_TEXT, data={})
    assert len(applied([OTHER], [step("create", None, generated)])) == 2
