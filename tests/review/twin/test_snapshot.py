"""Snapshots: what is read, and what is not."""

import gc
import gzip
from pathlib import Path
from typing import Any

import pytest

from review.cluster.kubectl import Cluster
from review.twin import snapshot as snapshots
from review.twin.snapshot import PLACEHOLDER, Snapshot, SnapshotError, take, without_garbage_collection
from tests.review.twin.api_server import ApiServer

ALL = ("create", "get", "list", "watch")
COLUMNS = [{"name": name} for name in ("Name", "Type", "Data", "Age")]


def resource(name: str, kind: str, verbs: tuple[str, ...] = ALL) -> dict[str, Any]:
    return {"resource": name, "responseKind": {"kind": kind}, "scope": "Namespaced", "verbs": list(verbs)}


def group(name: str, **versions: list[dict[str, Any]]) -> dict[str, Any]:
    found = [{"version": version, "resources": resources} for version, resources in versions.items()]
    return {"metadata": {"name": name} if name else {}, "versions": found}


def items(*names: str) -> dict[str, Any]:
    return {"metadata": {}, "items": [{"metadata": {"name": name}} for name in names]}


def row(name: str, keys: int, metadata: dict[str, Any]) -> dict[str, Any]:
    return {"cells": [name, "Opaque", keys, "1d"], "object": {"metadata": {"name": name, **metadata}}}


def fields(**parts: list[str]) -> dict[str, Any]:
    """Managed fields of a Secret."""
    owned: dict[str, Any] = {f"f:{part}": {".": {}, **{f"f:{key}": {} for key in keys}} for part, keys in parts.items()}
    return {"managedFields": [{"fieldsType": "FieldsV1", "fieldsV1": owned}]}


def cluster(live: ApiServer, **changes: Any) -> Snapshot:
    """A snapshot of a small cluster."""
    core = [resource("pods", "Pod"), resource("secrets", "Secret"), resource("events", "Event")]
    core.append(resource("componentstatuses", "ComponentStatus", ("get", "list")))
    answers = {
        "/version": {"gitVersion": "v1.36.1"},
        "/api": {"items": [group("", v1=core)]},
        "/apis": {
            "items": [
                group("apps", v1=[resource("deployments", "Deployment")]),
                group("example.com", v2=[resource("widgets", "Widget")], v1=[resource("widgets", "Widget")]),
                group("coordination.k8s.io", v1=[resource("leases", "Lease")]),
                group("other.example.com", v1=[resource("things", "Thing")]),
            ]
        },
        "/apis/apiregistration.k8s.io/v1/apiservices?limit=500": {
            "metadata": {},
            "items": [
                {"spec": {"group": "other.example.com", "service": {"name": "other"}}},
                {"spec": {"group": "apps"}},
            ],
        },
        "/api/v1/pods?limit=500": items("a", "b"),
        "/api/v1/secrets?limit=500": {"metadata": {}, "columnDefinitions": COLUMNS, "rows": []},
        "/apis/apps/v1/deployments?limit=500": items("web"),
        "/apis/example.com/v2/widgets?limit=500": items("mine"),
        **changes,
    }
    live.answer(answers)
    return take(Cluster())


def test_all_kinds_are_read_each_in_its_preferred_version(live: ApiServer) -> None:
    found = cluster(live)
    names = [(one["apiVersion"], one["kind"], one["metadata"]["name"]) for one in found.objects]
    assert names == [
        ("v1", "Pod", "a"),
        ("v1", "Pod", "b"),
        ("apps/v1", "Deployment", "web"),
        ("example.com/v2", "Widget", "mine"),
    ]
    assert found.version == "v1.36.1"
    assert found.resources["example.com/v2/Widget"] == "widgets"
    assert [one["metadata"]["name"] for one in found.of_kind("Pod")] == ["a", "b"]
    assert (found.unread, found.notes) == ({}, ())


def test_records_heartbeats_calculated_kinds_and_those_of_other_servers_are_not_read(live: ApiServer) -> None:
    cluster(live)
    paths = [path for path, _ in live.requests()]
    assert not [path for path in paths if any(word in path for word in ("events", "leases", "things", "component"))]


def test_a_kind_whose_definition_is_deleted_meanwhile_is_empty(live: ApiServer) -> None:
    found = cluster(live, **{"/apis/example.com/v2/widgets?limit=500": [404, {"message": "gone"}]})
    assert found.of_kind("Widget") == []
    assert found.unread == {}


def test_kinds_that_cannot_be_read_are_noted(live: ApiServer) -> None:
    denied = [403, {"message": "forbidden"}]
    found = cluster(
        live,
        **{
            "/apis/apps/v1/deployments?limit=500": denied,
            "/apis/example.com/v2/widgets?limit=500": [500, {"message": "broken"}],
            "/apis/apiregistration.k8s.io/v1/apiservices?limit=500": denied,
            "/apis/other.example.com/v1/things?limit=500": items(),
        },
    )
    path = "/apis/example.com/v2/widgets"
    assert found.unread == {"deployments.apps": "", "widgets.example.com": f"{path}?limit=500: broken"}
    assert [(note.code, note.values["kinds"]) for note in found.notes] == [
        ("kinds-not-copied", "deployments.apps"),
        ("kinds-not-copied", "widgets.example.com"),
    ]
    assert found.secret_keys_known


def test_without_the_right_to_read_secrets_their_keys_are_unknown(live: ApiServer) -> None:
    found = cluster(live, **{"/api/v1/secrets?limit=500": [403, {"message": "forbidden"}]})
    assert not found.secret_keys_known
    (note,) = found.notes
    assert (note.code, note.values["reason"].code) == ("secrets-not-copied", "forbidden")  # type: ignore[attr-defined]


def test_without_nodes_no_pod_can_be_scheduled() -> None:
    (note,) = Snapshot((), "v1.37.2", {}, {"nodes": ""}).notes
    assert note.code == "nodes-not-copied"


def test_secrets_are_read_as_a_table_without_values(live: ApiServer) -> None:
    rows = [
        row("plain", 2, fields(data=["a", "b"])),
        row("applied", 1, fields(stringData=["token"])),
        row(
            "several",
            2,
            {"managedFields": [*fields(data=["a"])["managedFields"], *fields(data=["b"])["managedFields"]]},
        ),
        row("unknown", 2, fields(data=["a"])),
        row("none", 0, {}),
    ]
    found = cluster(live, **{"/api/v1/secrets?limit=500": {"metadata": {}, "columnDefinitions": COLUMNS, "rows": rows}})
    assert {one["metadata"]["name"]: one.get("data") for one in found.of_kind("Secret")} == {
        "plain": {"a": PLACEHOLDER, "b": PLACEHOLDER},
        "applied": {"token": PLACEHOLDER},
        "several": {"a": PLACEHOLDER, "b": PLACEHOLDER},
        "unknown": None,
        "none": {},
    }
    assert {one["type"] for one in found.of_kind("Secret")} == {"Opaque"}
    ((accept,),) = {(accept,) for path, accept in live.requests() if "secrets" in path}
    assert accept == "application/json;as=Table;v=v1;g=meta.k8s.io"
    (note,) = found.notes
    assert (note.code, note.values["secrets"]) == ("secret-keys-not-copied", "Secret unknown")


def test_annotations_that_may_contain_a_secret_are_dropped(live: ApiServer) -> None:
    annotations = {
        "ml-platform/owner": "ml-platform/prod/TrainingJob a",
        "kubectl.kubernetes.io/last-applied-configuration": '{"data":{"password":"c3dvcmRmaXNo"}}\n',
        "compressed": "H4sIAAAAAAAA" * 10,
    }
    rows = [row("a", 0, {"annotations": annotations})]
    found = cluster(live, **{"/api/v1/secrets?limit=500": {"metadata": {}, "columnDefinitions": COLUMNS, "rows": rows}})
    (secret,) = found.of_kind("Secret")
    assert secret["metadata"]["annotations"] == {"ml-platform/owner": "ml-platform/prod/TrainingJob a"}


def test_the_garbage_collector_is_enabled_afterwards_if_it_was() -> None:
    with without_garbage_collection():
        assert not gc.isenabled()
        with without_garbage_collection():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_file_has_the_snapshot_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    snapshot = Snapshot(({"kind": "Pod", "metadata": {"name": "a"}},), "v1.37.2", {"v1/Pod": "pods"}, {"nodes": "x"})
    file = tmp_path / "cluster.snapshot"
    file.write_text("earlier", encoding="utf-8")
    file.chmod(0o644)
    snapshots.write(snapshot, file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert snapshots.read(file) == snapshot


VALID = gzip.compress(b"{}")


@pytest.mark.parametrize(
    "content", [b"", b"{}", VALID, VALID[:-9], gzip.compress(b"[]")], ids=["empty", "text", "other", "cut", "list"]
)
def test_another_file_is_not_a_snapshot(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(content)
    with pytest.raises(SnapshotError, match=r"a: must be a file that `python -m review snapshot` has written"):
        snapshots.read(file)
    with pytest.raises(SnapshotError, match="No such file"):
        snapshots.read(tmp_path / "none")
