"""Unknown and secret values of objects that are played."""

from typing import Any

from review.preview import SECRET, UNKNOWN_TEXT
from review.twin.inputs import known

PLACEHOLDER = "cGxhY2Vob2xkZXI="


def secret(**fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hub"}, **fields}


def test_an_object_without_unknown_values_stays_as_it_is() -> None:
    one = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "b"}}
    assert known(one, None).manifest == one


def test_a_value_has_that_of_the_current_object() -> None:
    containers = [{"name": "b", "image": "b:1"}, {"name": "a", "image": UNKNOWN_TEXT, "env": SECRET}]
    one = {"kind": "Pod", "spec": {"containers": containers, "args": [UNKNOWN_TEXT]}}
    current = {"spec": {"containers": [{"name": "a", "image": "a:1", "env": [{"name": "A"}]}], "args": ["x"]}}
    found = known(one, current)
    assert found.manifest["spec"] == {
        "containers": [{"name": "b", "image": "b:1"}, {"name": "a", "image": "a:1", "env": [{"name": "A"}]}],
        "args": ["x"],
    }
    assert found.omitted == ()


def test_a_value_without_a_current_one_is_left_out() -> None:
    one = {"kind": "Pod", "spec": {"nodeName": UNKNOWN_TEXT, "args": [UNKNOWN_TEXT, "b"], "items": [{"name": SECRET}]}}
    found = known(one, None)
    assert found.manifest["spec"] == {"args": ["b"], "items": [{}]}
    assert found.omitted == ("spec.nodeName", "spec.args[0]", "spec.items[0].name")


def test_the_keys_of_a_secret_have_placeholders() -> None:
    found = known(secret(data={"a": SECRET}, stringData={"b": "plain"}), None)
    assert found.manifest["data"] == {"a": PLACEHOLDER, "b": PLACEHOLDER}
    assert "stringData" not in found.manifest
    assert found.omitted == ()


def test_a_secret_keeps_the_values_of_existing_keys() -> None:
    current = secret(data={"a": "e30="})
    assert known(secret(data=SECRET), current).manifest["data"] == {"a": "e30="}
    assert known(secret(data={"a": SECRET, "b": SECRET}), current).manifest["data"] == {"a": "e30=", "b": PLACEHOLDER}


def test_a_secret_whose_keys_are_unknown_has_none() -> None:
    assert "data" not in known(secret(data=SECRET), None).manifest
