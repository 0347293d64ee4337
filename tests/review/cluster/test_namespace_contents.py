"""The contents of a namespace that is deleted."""

from typing import Any

from components.base.ownership import OWNER
from review.cluster.kubectl import ForbiddenError
from review.cluster.namespace_contents import check_namespace_contents
from review.messages import Message
from review.preview import Preview
from tests.review.cluster.table import Table
from tests.review.prod import given, parsed


class _Namespace(Table):
    """A cluster whose namespace has some objects."""

    def __init__(self, *items: dict[str, Any], **arguments: Any) -> None:
        super().__init__(**arguments)
        self.items = list(items)

    def get(self, kind: str, name: str = "", namespace: str = "") -> Any:
        if "," not in kind:
            return super().get(kind, name, namespace)
        self._raise("contents")
        return {"items": self.items if namespace == "ml-serving" else []}


def item(kind: str, name: str, **metadata: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name, "namespace": "ml-serving", **metadata}}


def deleting(op: str = "delete") -> Preview:
    content = given()
    for step in content["steps"]:
        if step["urn"].endswith("::ml-serving-namespace"):
            step["op"] = op
            if op == "delete":
                step.pop("newState", None)
    return parsed(content)


def found(*items: dict[str, Any], op: str = "delete", **arguments: Any) -> list[Message]:
    return list(check_namespace_contents(deleting(op), _Namespace(*items, **arguments)))


def test_claims_pods_and_objects_of_others_are_listed() -> None:
    other = {"annotations": {OWNER: "other/prod/ModelService/x/service"}}
    (message,) = found(
        item("PersistentVolumeClaim", "data"), item("Pod", "debug"), item("Service", "x", **other), item("Pod", "two")
    )
    assert message.code == "namespace-contents"
    assert message.values == {
        "namespace": "ml-serving",
        "contents": "PersistentVolumeClaim data with their data; 2 pods; Service x (of other/prod/ModelService/x/service)",
    }


def test_objects_of_the_stack_and_of_kubernetes_are_not() -> None:
    controlled = {"ownerReferences": [{"kind": "CronJob", "name": "c", "controller": True}]}
    own = [item("Service", "model-api"), item("ConfigMap", "kube-root-ca.crt"), item("Job", "c-1", **controlled)]
    assert found(*own) == []


def test_a_namespace_that_stays_is_not_listed() -> None:
    assert found(item("PersistentVolumeClaim", "data"), op="same") == []


def test_contents_that_cannot_be_read_are_a_note() -> None:
    (message,) = found(errors={"contents": ForbiddenError("no")})
    assert message.code == "namespace-contents-not-checked"
