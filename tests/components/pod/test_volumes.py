"""Volumes, mount paths and checkpoints."""

from typing import Any

import pytest

from components import Checkpoints, Volume
from components.pod.volumes import (
    DEFAULT_MOUNT_PATHS,
    MountPath,
    memory_volume,
    normalized,
    single_node,
    taken_mount_paths,
)
from tests.problems import problems
from tests.values import problem, validated


@pytest.mark.parametrize(
    ("volume", "source", "read_only"),
    [
        ({"claim": "data"}, {"persistentVolumeClaim": {"claimName": "data"}}, False),
        ({"claim": "data", "read_only": True}, {"persistentVolumeClaim": {"claimName": "data"}}, True),
        ({"config_map": "settings"}, {"configMap": {"name": "settings"}}, True),
        ({"secret": "keys"}, {"secret": {"secretName": "keys"}}, True),
        ({"image": "models/bert:v1"}, {"image": {"reference": "models/bert:v1", "pullPolicy": "Never"}}, True),
        ({"ephemeral": "5Gi"}, {"emptyDir": {"sizeLimit": "5Gi"}}, False),
    ],
)
def test_sources(volume: dict[str, Any], source: dict[str, Any], read_only: object) -> None:
    args = Volume(path="/data", **volume)
    assert args.manifest("v", "Never") == {"name": "v", **source}
    mount = {"name": "v", "mountPath": "/data"}
    assert args.mount("v") == ({**mount, "readOnly": True} if read_only else mount)


def test_an_ephemeral_volume_of_a_storage_class_has_a_claim_per_pod() -> None:
    source = Volume(path="/data", ephemeral="5Gi", storage_class="fast").manifest("v", "Always")["ephemeral"]
    assert source["volumeClaimTemplate"]["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "fast",
        "resources": {"requests": {"storage": "5Gi"}},
    }


@pytest.mark.parametrize(
    ("volume", "code", "path"),
    [
        ({}, "exactly-one-of", ""),
        ({"claim": "data", "config_map": "settings"}, "exactly-one-of", ""),
        ({"claim": "data", "storage_class": "fast"}, "requires", "storage_class"),
        ({"ephemeral": "5Gi", "access_mode": "ReadWriteMany"}, "requires", "access_mode"),
        ({"ephemeral": "0"}, "quantity-zero", "ephemeral"),
        ({"ephemeral": "500m"}, "quantity-fraction", "ephemeral"),
        ({"claim": "Data"}, "name-invalid", "claim"),
        ({"claim": "data", "access_mode": "ReadWrite"}, "not-one-of", "access_mode"),
    ],
)
def test_invalid_volumes(volume: dict[str, Any], code: str, path: str) -> None:
    (found,) = problems(lambda: Volume(path="/data", **volume))
    assert (found.code, found.property_path()) == (code, path)


@pytest.mark.parametrize(("path", "canonical"), [("/data/", "/data"), ("//data", "/data"), ("/a/../b", "/b")])
def test_paths_are_compared_in_canonical_form(path: str, canonical: str) -> None:
    assert normalized(path) == canonical
    assert validated(MountPath, path) == path


@pytest.mark.parametrize("path", ["/", "//", "/a/.."])
def test_the_root_is_not_a_mount_path(path: str) -> None:
    found = problem(MountPath, path)
    assert (found.code, found.value) == ("mount-path-root", "/data")


@pytest.mark.parametrize("path", ["data", "", "/a:b"])
def test_mount_paths_are_absolute(path: str) -> None:
    assert problem(MountPath, path).code == "invalid"


def test_claims_that_one_node_can_mount() -> None:
    volumes = {
        "once": Volume(path="/a", claim="a"),
        "pod": Volume(path="/b", claim="b", access_mode="ReadWriteOncePod"),
        "many": Volume(path="/c", claim="c", access_mode="ReadWriteMany"),
        "scratch": Volume(path="/d", ephemeral="1Gi"),
    }
    assert single_node(volumes) == ["once", "pod"]


def test_mount_paths_that_are_taken() -> None:
    taken = taken_mount_paths({"data": Volume(path="/data/", claim="data")})
    assert set(taken) == {"/data", *DEFAULT_MOUNT_PATHS.values()}
    assert "data" in taken["/data"]


def test_a_memory_backed_volume() -> None:
    assert memory_volume("shm", "2Gi") == {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "2Gi"}}


def test_checkpoints_are_in_a_directory_of_the_run() -> None:
    checkpoints = Checkpoints(claim="runs", access_mode="ReadWriteMany")
    assert checkpoints.volume() == Volume(path="/checkpoints", claim="runs", access_mode="ReadWriteMany")
    assert checkpoints.env("bert-2") == {"name": "CHECKPOINT_DIR", "value": "/checkpoints/bert-2"}
    resumed = Checkpoints(claim="runs", path="/mnt/", directory="bert")
    assert resumed.env("bert-2")["value"] == "/mnt/bert"


def test_the_directory_of_checkpoints_is_relative() -> None:
    (found,) = problems(lambda: Checkpoints(claim="runs", directory="/bert"))
    assert (found.code, found.property_path()) == ("invalid", "directory")
