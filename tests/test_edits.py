"""The edits of tests."""

from tests.edits import Objects, append, drop, edited, every, put

OBJECTS: Objects = {"pod": {"spec": {"containers": [{"name": "a"}]}}}


def test_edits_by_path() -> None:
    assert edited(OBJECTS, put("pod/spec/containers/0/image", "a:1")) == {
        "pod": {"spec": {"containers": [{"name": "a", "image": "a:1"}]}}
    }
    assert edited(OBJECTS, put("pod/metadata/labels/example.com~1team", "nlp"))["pod"]["metadata"] == {
        "labels": {"example.com/team": "nlp"}
    }
    assert edited(OBJECTS, append("pod/spec/containers", {"name": "b"}))["pod"]["spec"]["containers"][1:] == [
        {"name": "b"}
    ]
    assert edited(OBJECTS, drop("pod/spec/containers/0"))["pod"]["spec"]["containers"] == []
    assert edited(OBJECTS, every(drop("pod"), put("job", {}))) == {"job": {}}


def test_the_original_is_not_changed() -> None:
    edited(OBJECTS, append("pod/spec/containers", {}), put("pod/kind", "Pod"))
    assert OBJECTS == {"pod": {"spec": {"containers": [{"name": "a"}]}}}
    assert edited(OBJECTS) == OBJECTS
