"""Volumes against the limits of pods."""

from typing import Any

import pytest

from components.base.objects import Manifest
from review.effects.memory import memory
from tests.review.effects.objects import container, deployment, found, pair


def limited(**limits: str) -> dict[str, Any]:
    return {"resources": {"limits": limits}}


def pods(*containers: Manifest, **spec: Any) -> Manifest:
    return deployment(containers=containers, **spec)


def volume(name: str = "v", **source: str) -> Manifest:
    return {"name": name, "emptyDir": source}


MOUNT: dict[str, Any] = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}
SHARED = volume(medium="Memory", sizeLimit="4Gi")
SIDECAR: dict[str, Any] = {"restartPolicy": "Always"}


@pytest.mark.parametrize(
    ("manifest", "codes"),
    [
        (pods(container(**MOUNT, **limited(memory="4Gi")), volumes=[SHARED]), ["volumes-exceed-memory"]),
        (pods(container(**MOUNT, **limited(memory="8Gi")), volumes=[SHARED]), []),
        (pods(container(**MOUNT), volumes=[SHARED]), []),
        (pods(container(**MOUNT), volumes=[SHARED], **limited(memory="2Gi")), ["volumes-exceed-memory"]),
        (pods(container(**limited(memory="1Gi")), volumes=[SHARED]), []),
        (pods(container(**MOUNT, **limited(memory="1Gi")), volumes=[volume(medium="Memory")]), []),
        (
            pods(
                container(volumeMounts=[{"name": "v", "readOnly": True, "mountPath": "/v"}], **limited(memory="1Gi")),
                volumes=[SHARED],
            ),
            [],
        ),
        (
            pods(container(**limited(memory="8Gi")), initContainers=[container("s", **MOUNT, **SIDECAR, **limited(memory="1Gi"))], volumes=[SHARED]),
            ["volumes-exceed-memory"],
        ),
    ],
    ids=["as large", "smaller", "no limit", "limit of the pod", "not mounted", "no size", "read-only", "a sidecar"],
)  # fmt: skip
def test_memory_backed_volumes(manifest: Manifest, codes: list[str]) -> None:
    assert [code for code, _ in found(memory(*pair([], [manifest])))] == codes


@pytest.mark.parametrize(("limit", "count"), [("1Gi", 1), ("2Gi", 0), ("4Gi", 0)])
def test_volumes_on_disk(limit: str, count: int) -> None:
    manifest = pods(container(**limited(**{"ephemeral-storage": limit})), volumes=[volume(sizeLimit="2Gi")])
    assert [code for code, _ in found(memory(*pair([], [manifest])))] == ["volumes-exceed-storage"] * count


def test_what_was_so_before_is_not_reported() -> None:
    before = pods(container(**MOUNT, **limited(memory="4Gi")), volumes=[SHARED])
    after = pods(container(**MOUNT, **limited(memory="4Gi")), container("d"), volumes=[SHARED])
    assert list(memory(*pair([before], [after]))) == []
    assert list(memory(*pair([before], []))) == []
