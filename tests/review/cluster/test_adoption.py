"""Existing objects that a change adopts."""

from typing import Any

from components.base.ownership import ADOPT
from review.cluster.adoption import check_adoption
from review.cluster.kubectl import ForbiddenError
from review.preview import Step
from tests.review.cluster.table import Table


def deployment(image: str, container: str = "main", **annotations: str) -> dict[str, Any]:
    template = {"spec": {"containers": [{"name": container, "image": image}]}}
    metadata = {"name": "bert", "namespace": "lab", "annotations": annotations}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"template": template}}


def adopting(op: str = "create", **annotations: str) -> list[Step]:
    return [Step(op, "urn", "", None, deployment("a:v2", **annotations), {})]


def test_an_existing_object_is_listed_with_the_fields_that_change() -> None:
    live = deployment("a:v1", note="x")
    live["spec"]["replicas"] = 2  # which the manifest does not set
    (message,) = check_adoption(adopting(**ADOPT), Table({"bert": live}))
    assert message.code == "adopted"
    assert message.values["fields"] == "spec.template.spec.containers[main].image"


def test_a_new_object_and_one_that_is_not_adopted_are_not_listed() -> None:
    assert list(check_adoption(adopting(**ADOPT), Table())) == []
    assert list(check_adoption(adopting(), Table({"bert": deployment("a:v1")}))) == []
    assert list(check_adoption(adopting("update", **ADOPT), Table({"bert": deployment("a:v1")}))) == []


def test_an_object_that_cannot_be_read_is_a_note() -> None:
    (message,) = check_adoption(adopting(**ADOPT), Table(errors={"Deployment": ForbiddenError("no")}))
    assert message.code == "adoption-not-checked"
