"""Volumes of pods, and the checkpoints of training runs."""

import posixpath
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from ..base.arguments import Arguments, Deferred, check_exactly_one
from ..base.error_table import MOUNT_PATH_ROOT, REQUIRES
from ..base.errors import raise_all
from ..base.names import DnsLabel, Image, ObjectName
from ..base.objects import Manifest
from ..base.quantities import ByteSize, Quantity

_SOURCES = {
    "claim": "claim",
    "ephemeral": "ephemeral",
    "config_map": "configMap",
    "secret": "secret",
    "image": "image",
}

AccessMode = Literal["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"]


def normalized(path: str) -> str:
    """The canonical form of a path: /data/ and //data are /data."""
    return posixpath.normpath(f"/{path.lstrip('/')}")


def _below_root(path: str) -> str:
    if normalized(path) == "/":
        raise MOUNT_PATH_ROOT(path=path, value="/data")
    return path


MountPath = Annotated[str, Field(pattern=r"^/[^:]*$", examples=["/data"]), AfterValidator(_below_root)]
"""An absolute path other than the root, at which a container mounts a volume."""

DEFAULT_MOUNT_PATHS = {"tmp": "/tmp", "shm": "/dev/shm"}  # noqa: S108
"""The mount paths of the volumes that every pod has, by volume name: a writable directory and the shared memory."""


class Volume(Arguments):
    """One volume of a pod, mounted into all its containers at the same path.

    Exactly one of claim, ephemeral, config_map, secret and image is its source.

    A change rolls the pods of a service; a job needs a new run.
    """

    path: MountPath
    """The mount path in the containers. Must be absolute, and unique in the pod."""

    claim: Deferred[ObjectName] | None = None
    """An existing PersistentVolumeClaim."""

    access_mode: AccessMode = "ReadWriteOnce"
    """The access mode of the claim. Only the pods of one node can mount a ReadWriteOnce volume.

    It is validated only, and not part of the pods. Updatable in place.
    """

    ephemeral: ByteSize | None = Field(default=None, examples=["50Gi"])
    """The size in bytes of a volume that is deleted with its pod."""

    storage_class: ObjectName | None = None
    """The StorageClass of an ephemeral volume. Defaults to the local disk of the node (an emptyDir)."""

    config_map: Deferred[ObjectName] | None = None
    """A ConfigMap, with one file per key."""

    secret: Deferred[ObjectName] | None = None
    """A Secret, with one file per key."""

    image: Deferred[Image] | None = None
    """An OCI image or artifact, mounted read-only. Requires Kubernetes 1.33."""

    read_only: bool = False
    """Mount the volume read-only. ConfigMaps, Secrets and images always are."""

    @model_validator(mode="after")
    def _one_source(self) -> "Volume":
        given = [argument for source, argument in _SOURCES.items() if getattr(self, source) is not None]
        check_exactly_one(given, list(_SOURCES.values()))
        problems = []
        if self.storage_class is not None and self.ephemeral is None:
            error = REQUIRES(requirement="ephemeral", argument="storageClass")
            problems.append((("storageClass",), error))
        if "access_mode" in self.model_fields_set and self.claim is None:
            problems.append((("accessMode",), REQUIRES(requirement="claim", argument="accessMode")))
        raise_all("Volume", problems)
        return self

    def mount(self, name: str) -> Manifest:
        """The container's ``volumeMounts`` entry."""
        read_only = self.read_only or any((self.config_map, self.secret, self.image))
        return {"name": name, "mountPath": self.path, **({"readOnly": True} if read_only else {})}

    def manifest(self, name: str, image_pull_policy: str) -> Manifest:
        """The pod's ``volumes`` entry."""
        return {"name": name, **self._source(image_pull_policy)}

    def _source(self, image_pull_policy: str) -> Manifest:
        if self.claim is not None:
            return {"persistentVolumeClaim": {"claimName": self.claim}}
        if self.config_map is not None:
            return {"configMap": {"name": self.config_map}}
        if self.secret is not None:
            return {"secret": {"secretName": self.secret}}
        if self.image is not None:
            return {"image": {"reference": self.image, "pullPolicy": image_pull_policy}}
        if self.storage_class is None:
            return {"emptyDir": {"sizeLimit": self.ephemeral}}
        claim = {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": self.storage_class,
            "resources": {"requests": {"storage": self.ephemeral}},
        }
        return {"ephemeral": {"volumeClaimTemplate": {"spec": claim}}}


Volumes = dict[DnsLabel, Volume]
"""Volumes by name."""


class Checkpoints(Arguments):
    """Where a run stores its checkpoints, so that a retry continues from the latest one.

    The environment variable CHECKPOINT_DIR is the run's directory. The program creates it if it does not exist, loads
    the latest file in it, and saves to it.

    A change needs a new run.
    """

    claim: Deferred[ObjectName] = Field(examples=["checkpoints"])
    """An existing PersistentVolumeClaim, which outlives the pods."""

    access_mode: AccessMode = "ReadWriteOnce"
    """The access mode of the claim. Only the pods of one node can mount a ReadWriteOnce volume.

    It is validated only, and not part of the pods. Updatable in place.
    """

    path: MountPath = "/checkpoints"
    """The mount path of the claim in the containers. Must be absolute, and unique in the pod."""

    directory: Annotated[str, Field(pattern=r"^[^/].*$", examples=["bert-2"])] | None = None
    """The directory in the claim. Defaults to the name of the run, so that a new run starts from scratch.

    To continue from the checkpoints of an earlier run, set its name.
    """

    def volume(self) -> Volume:
        """The volume of the pods."""
        return Volume(path=self.path, claim=self.claim, access_mode=self.access_mode)

    def env(self, run: str) -> Manifest:
        """The environment variable of a run."""
        return {"name": CHECKPOINT_DIR, "value": f"{self.path.rstrip('/')}/{self.directory or run}"}


CHECKPOINT_DIR = "CHECKPOINT_DIR"


def single_node(volumes: Mapping[str, Volume]) -> list[str]:
    """The volumes that only the pods of one node can mount, by name."""
    return [
        name
        for name, volume in volumes.items()
        if volume.claim is not None and volume.access_mode in {"ReadWriteOnce", "ReadWriteOncePod"}
    ]


def taken_mount_paths(volumes: Mapping[str, Volume]) -> dict[str, str]:
    """The mount paths of these volumes and of those that every pod has, with the owner of each in words."""
    of_volumes = {normalized(volume.path): f"volume {name}" for name, volume in volumes.items()}
    return {**of_volumes, **{path: f"volume {name} of every pod" for name, path in DEFAULT_MOUNT_PATHS.items()}}


def memory_volume(name: str, size: Quantity) -> Manifest:
    """A memory-backed volume, which counts towards the memory limit of the containers that write to it."""
    return {"name": name, "emptyDir": {"medium": "Memory", "sizeLimit": size}}
