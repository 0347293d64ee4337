"""The steps of a preview, played against an API server in memory."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from components.base.objects import Manifest
from review.preview import SECRET, UNKNOWN_TEXT, Preview
from review.twin.client import ApiError
from review.twin.observe import Recorder
from review.twin.play import Play, Player
from review.twin.timing import Timing
from tests.edits import drop, edited, put
from tests.review.twin.fake import FakeClient
from tests.review.twin.previews import preview_of
from tests.review.twin.world import deployment, manifest, service, widget, world


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Idle after a moment."""
    monkeypatch.setattr("review.twin.observe._QUIET", 0.05)
    monkeypatch.setattr("review.twin.observe._POLL", 0.01)
    monkeypatch.setattr("review.twin.play._KIND", 0.2)
    monkeypatch.setattr("review.twin.play._GONE", 0.2)


def config(name: str, **fields: object) -> Manifest:
    return manifest("v1", "ConfigMap", "web", name, **fields)


def played(client: FakeClient, preview: Preview) -> Play:
    with Recorder(client, Timing()).recording() as recorder:
        return Player(client, recorder, Timing()).play(preview)


def codes(play: Play) -> list[str]:
    return [message.code for message in play.messages]


def of(preview: Preview, **changes: object) -> Preview:
    """The preview with changed fields in its only step."""
    return replace(preview, steps=tuple(replace(step, **changes) for step in preview.steps))  # type: ignore[arg-type]


def test_changes_come_first_and_deletions_last() -> None:
    before = {"old": config("old"), "same": config("same"), "changed": config("changed")}
    after = {"new": config("new"), "same": config("same"), "changed": config("changed", data={"a": "b"})}
    client = FakeClient(*before.values())
    play = played(client, preview_of(before, after))
    assert client.changes() == [
        ("apply", "ConfigMap", "changed"),
        ("apply", "ConfigMap", "new"),
        ("delete", "ConfigMap", "old"),
    ]
    assert {one[3] for one in play.touched()} == {"old", "changed", "new"}


def test_a_named_object_is_deleted_before_it_is_replaced() -> None:
    before = {"a": config("a")}
    client = FakeClient(*before.values())
    played(client, preview_of(before, {"a": config("a", immutable=True)}, replaced=frozenset({"a"})))
    assert [call[0] for call in client.changes()] == ["delete", "apply"]


def test_an_object_with_a_generated_name_is_replaced_before_it_is_deleted() -> None:
    before, after = {"a": config("a-1")}, {"a": config("a-2")}
    client = FakeClient(*before.values())
    played(client, of(preview_of(before, after, replaced=frozenset({"a"})), created_first=True))
    assert client.changes() == [("apply", "ConfigMap", "a-2"), ("delete", "ConfigMap", "a-1")]


def test_a_retained_object_is_not_deleted() -> None:
    client = FakeClient(config("a"))
    played(client, of(preview_of({"a": config("a")}, {}), retained=True))
    assert client.changes() == []


def test_the_field_manager_is_that_of_the_provider() -> None:
    plain = edited({"a": config("a")}, drop("a/metadata/annotations"))
    forced = edited(plain, put("a/metadata/annotations", {"pulumi.com/patchForce": "true"}))
    for objects, manager, expected in (
        ({"a": config("a")}, "", ("twin-test", False)),
        (plain, "pulumi-kubernetes-1234", ("pulumi-kubernetes-1234", False)),
        (forced, "pulumi-kubernetes-1234", ("pulumi-kubernetes-1234", True)),
        (plain, "", ("pulumi-kubernetes-ca978112", False)),
    ):
        client = FakeClient()
        played(client, of(preview_of({}, objects), field_manager=manager))
        assert client.calls[0][3:] == expected


def test_what_the_api_server_rejects() -> None:
    client = FakeClient(config("old"))
    client.errors["apply", "new"] = ApiError(422, "is invalid")
    client.errors["delete", "old"] = ApiError(403, "is protected")
    assert codes(played(client, preview_of({"old": config("old")}, {"new": config("new")}))) == [
        "apply-rejected",
        "delete-rejected",
    ]


def test_an_object_that_is_gone_already() -> None:
    assert codes(played(FakeClient(), preview_of({"old": config("old")}, {}))) == []


def test_objects_with_unknown_values() -> None:
    client = FakeClient()
    unknown = config("a", data={"a": UNKNOWN_TEXT})
    assert codes(played(client, preview_of({}, {"a": unknown}))) == ["played-without"]
    client.errors["apply", "a"] = ApiError(422, "data is required")
    assert codes(played(client, preview_of({}, {"a": edited({"a": unknown}, put("a/immutable", SECRET))["a"]}))) == [
        "rejected-without"
    ]
    assert codes(played(client, preview_of({}, {"a": config(UNKNOWN_TEXT)}))) == ["not-played"]
    nameless = edited({"a": config("a")}, drop("a/metadata/name"))
    assert codes(played(client, preview_of({}, nameless))) == ["not-played"]
    assert codes(played(client, preview_of(nameless, {}))) == ["not-played"]


def test_a_list_is_played_item_by_item() -> None:
    items = [{"metadata": {"name": name, "namespace": "web"}} for name in "ab"]
    both = {"apiVersion": "v1", "kind": "ConfigMapList", "metadata": {}, "items": items}
    mixed = {"apiVersion": "v1", "kind": "List", "metadata": {}, "items": [service("c", "web")]}
    client = FakeClient()
    played(client, preview_of({}, {"both": both, "mixed": mixed}))
    assert client.changes() == [("apply", "ConfigMap", "a"), ("apply", "ConfigMap", "b"), ("apply", "Service", "c")]


PATCH = {"type": "kubernetes:core/v1:ConfigMapPatch"}


def test_a_patch_changes_an_existing_object() -> None:
    assert codes(played(FakeClient(), of(preview_of({}, {"a": config("a")}), **PATCH))) == ["patch-without-object"]
    client = FakeClient(config("a"))
    assert codes(played(client, of(preview_of({}, {"a": config("a")}), **PATCH))) == []
    assert client.changes() == [("apply", "ConfigMap", "a")]


def test_a_deleted_patch_gives_up_its_fields() -> None:
    client = FakeClient(config("a", data={"a": "b"}))
    played(client, of(preview_of({"a": config("a", data={"a": "b"})}, {}), **PATCH))
    assert client.calls == [("apply", "ConfigMap", "a", "twin-test", False)]


def roll_out(client: FakeClient, operation: str, one: Manifest) -> None:
    """A Deployment controller."""
    if one["kind"] == "Deployment" and operation == "apply":
        replicas = one["spec"]["replicas"]
        client.put({**one, "status": dict.fromkeys(("updatedReplicas", "availableReplicas", "replicas"), replicas)})


def test_a_step_waits_for_the_steps_that_it_depends_on() -> None:
    objects = {"web": deployment("web", "web", 1), "after": config("after")}
    preview = preview_of({}, objects)
    steps = (preview.steps[0], replace(preview.steps[1], dependencies=("web",)))
    play = played(FakeClient(react=roll_out), replace(preview, steps=steps))
    assert (play.unready, codes(play)) == ({}, [])


def test_objects_that_never_become_ready() -> None:
    preview = of(preview_of({}, {"web": deployment("web", "web", 1)}), timeouts={"create": 60.0})
    play = played(FakeClient(), preview)
    assert play.unready == {("apps", "Deployment", "web", "web"): 60.0}


def test_a_claim_that_is_bound_later() -> None:
    claim = manifest("v1", "PersistentVolumeClaim", "web", "data", spec={"storageClassName": "late"})
    default = edited({"a": claim}, drop("a/spec/storageClassName"))["a"]
    storage = manifest("storage.k8s.io/v1", "StorageClass", "", "late", volumeBindingMode="WaitForFirstConsumer")
    storage["metadata"]["annotations"] = {"storageclass.kubernetes.io/is-default-class": "true"}
    for one in (claim, default):
        assert played(FakeClient(storage), preview_of({}, {"a": one})).unready == {}
        assert played(FakeClient(), preview_of({}, {"a": one})).unready != {}


@pytest.mark.parametrize(
    ("finalizer", "code"),
    [("kubernetes.io/pvc-protection", "delete-stuck"), ("example.com/cleanup", "delete-needs-controller")],
)
def test_an_object_that_stays_because_of_a_finalizer(finalizer: str, code: str) -> None:
    one = edited({"a": config("a")}, put("a/metadata/finalizers", [finalizer]))
    assert codes(played(FakeClient(*one.values()), preview_of(one, {}))) == [code]


def test_an_object_that_is_deleted_with_its_controller() -> None:
    one = edited({"a": config("a")}, put("a/metadata/finalizers", ["example.com/cleanup"]))
    objects = {**one, "operator": deployment("operator", "lab", 1)}
    (message,) = played(FakeClient(*objects.values()), preview_of(objects, {})).messages
    assert (message.code, message.values["workloads"]) == ("delete-without-controller", "Deployment lab/operator")


def test_a_kind_that_is_not_served() -> None:
    assert codes(played(FakeClient(), preview_of({}, {"a": widget()}))) == ["apply-rejected"]
    definition: Mapping[str, Manifest] = {"definition": world()["definition"], "a": widget()}
    assert codes(played(FakeClient(), preview_of({}, definition))) == ["apply-rejected"]
