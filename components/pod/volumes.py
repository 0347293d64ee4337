"""Where a pod's data comes from and goes to."""

import posixpath
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from ..base.arguments import Arguments, Deferred, check_exactly_one
from ..base.errors import raise_all, refuse
from ..base.names import DnsLabel, Image, ObjectName
from ..base.quantities import ByteSize, Quantity
from ..base.registration import Manifest

_SOURCES = ("claim", "ephemeral", "config_map", "secret", "image")

AccessMode = Literal["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"]


def normalized(path: str) -> str:
    """Where a path leads, however it is written: /data/ and //data are /data."""
    return posixpath.normpath(f"/{path.lstrip('/')}")


def _below_root(path: str) -> str:
    if normalized(path) == "/":
        raise refuse(f"{path} would hide all that is in the image", "name a directory", value="/data")
    return path


MountPath = Annotated[str, Field(pattern=r"^/[^:]*$", examples=["/data"]), AfterValidator(_below_root)]

OF_EVERY_POD = {"tmp": "/tmp", "shm": "/dev/shm"}  # noqa: S108
"""The volumes that pods have anyway, by name: the writable directory and the shared memory."""


class Volume(Arguments):
    """One volume of a pod, mounted into all its containers at the same path."""

    path: MountPath
    """Where the containers see it: an absolute path."""

    claim: Deferred[ObjectName] | None = None
    """An existing PersistentVolumeClaim."""

    access_mode: AccessMode = "ReadWriteOnce"
    """How the claim may be mounted: ReadWriteOnce serves the pods of one node only."""

    ephemeral: ByteSize | None = Field(default=None, examples=["50Gi"])
    """The size of a volume that lives as long as its pod."""

    storage_class: ObjectName | None = None
    """StorageClass of an ephemeral volume; default: the node's own disk (an emptyDir)."""

    config_map: Deferred[ObjectName] | None = None
    """A ConfigMap, one file a key."""

    secret: Deferred[ObjectName] | None = None
    """A Secret, one file a key."""

    image: Deferred[Image] | None = None
    """An OCI image or artifact, mounted read-only (Kubernetes 1.33 and later)."""

    read_only: bool = False
    """Mount it read-only. ConfigMaps, Secrets and images always are."""

    @model_validator(mode="after")
    def _one_source(self) -> "Volume":
        given = [source for source in _SOURCES if getattr(self, source) is not None]
        check_exactly_one(given, ["claim", "ephemeral", "configMap", "secret", "image"])
        if self.storage_class is not None and self.ephemeral is None:
            raise refuse("storageClass goes with ephemeral: a claim has one already", "remove storageClass")
        if "access_mode" in self.model_fields_set and self.claim is None:
            raise_all("Volume", [(("accessMode",), refuse("goes with a claim", "remove it"))])
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


class Checkpoints(Arguments):
    """Where a run keeps its checkpoints, so that a retry goes on from the last one.

    The environment variable CHECKPOINT_DIR names the run's own directory: the program makes it where
    it is missing, loads the newest file that it finds there, and saves to it.
    """

    claim: Deferred[ObjectName] = Field(examples=["checkpoints"])
    """An existing PersistentVolumeClaim. What lives as long as a pod would be of no use to the next one."""

    access_mode: AccessMode = "ReadWriteOnce"
    """How the claim may be mounted: ReadWriteOnce serves the pods of one node only."""

    path: MountPath = "/checkpoints"
    """Where the containers see the claim: an absolute path."""

    directory: Annotated[str, Field(pattern=r"^[^/].*$", examples=["bert-2"])] | None = None
    """The directory in the claim; default: one named after the run, so that a new run begins anew.

    Name an earlier run to go on from its checkpoints.
    """

    def volume(self) -> Volume:
        """The volume of the pods."""
        return Volume(path=self.path, claim=self.claim, access_mode=self.access_mode)

    def env(self, run: str) -> Manifest:
        """The environment variable of a run."""
        return {"name": CHECKPOINT_DIR, "value": f"{self.path.rstrip('/')}/{self.directory or run}"}


CHECKPOINT_DIR = "CHECKPOINT_DIR"


def single_node(volumes: Mapping[str, Volume]) -> list[str]:
    """The volumes that the pods of one node only can mount: a workload of several pods cannot have them."""
    return [
        name
        for name, volume in volumes.items()
        if volume.claim is not None and volume.access_mode in {"ReadWriteOnce", "ReadWriteOncePod"}
    ]


def taken_mount_paths(volumes: Mapping[str, Volume]) -> dict[str, str]:
    """What is at a place already, in words: a volume of these, or one that every pod has."""
    of_these = {normalized(volume.path): f"volume {name}" for name, volume in volumes.items()}
    return {**of_these, OF_EVERY_POD["tmp"]: "the writable /tmp", OF_EVERY_POD["shm"]: "the shared memory"}


def memory_volume(name: str, size: Quantity) -> Manifest:
    """A volume in memory, which counts against the memory limit of the containers that fill it."""
    return {"name": name, "emptyDir": {"medium": "Memory", "sizeLimit": size}}
