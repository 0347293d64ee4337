"""Where the weights of a model come from: the image itself, or a volume that pods see at a path."""

from collections.abc import Iterator, Mapping, Sequence

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ..base.arguments import Arguments, Deferred, check_exactly_one
from ..base.errors import raise_all, refuse
from ..base.names import DeferredImage, Image, ObjectName
from ..base.quantities import ByteSize
from ..pod.env import Env
from ..pod.resources import Resources
from ..pod.volumes import AccessMode, MountPath, Volume, normalized, taken_mount_paths
from ..workload.args import InitContainer

VOLUME = "model"
CONTAINER = "model-download"

_KINDS = ("claim", "image", "download")


class Download(Arguments):
    """An init container that puts the model into the volume before the server starts.

    It sees the workload's own variables, those from Secrets among them.
    """

    image: DeferredImage | None = Field(default=None, examples=["amazon/aws-cli:2.17.0"])
    """Container image; default: the workload's own."""

    command: list[str] = Field(examples=[["aws", "s3", "sync", "s3://models/bert/v1.2", "/models"]])
    """The program and its arguments: it writes below the model's path."""

    env: Env = {}
    """Environment variables, beside the workload's own, or instead of one of the same name."""

    resources: Resources = Resources(requests={"cpu": "1", "memory": "1Gi"}, limits={"cpu": "2", "memory": "2Gi"})
    """What the download asks for. Default: enough to fill a fast network link; it ends before the server starts."""

    size: ByteSize = Field(examples=["50Gi"])
    """The size of the volume, on the node's own disk."""


class ModelSource(Arguments):
    """One of claim, image and download."""

    claim: Deferred[ObjectName] | None = None
    """An existing PersistentVolumeClaim with the model, mounted read-only."""

    access_mode: AccessMode = "ReadWriteOnce"
    """How the claim may be mounted: several pods need ReadOnlyMany or ReadWriteMany."""

    image: Deferred[Image] | None = Field(default=None, examples=["myregistry/models/bert:v1.2"])
    """An OCI image or artifact with the model, mounted read-only (Kubernetes 1.33 and later)."""

    download: Download | None = None
    """A download into a volume that lives as long as its pod."""

    @model_validator(mode="after")
    def _one_kind(self) -> "ModelSource":
        given = [kind for kind in _KINDS if getattr(self, kind) is not None]
        check_exactly_one(given, _KINDS)
        if "access_mode" in self.model_fields_set and self.claim is None:
            raise_all("ModelSource", [(("accessMode",), refuse("goes with a claim", "remove it"))])
        return self


class Model(Arguments):
    """A model that is not in the server's image."""

    source: ModelSource
    """Where it comes from."""

    path: MountPath = "/models"
    """Where the containers see it."""

    def problems(
        self, volumes: Mapping[str, Volume], init_containers: Sequence[InitContainer]
    ) -> Iterator[tuple[list[str | int], PydanticCustomError]]:
        """What collides with the workload's other volumes and init containers."""
        if VOLUME in volumes:
            yield ["volumes", VOLUME], refuse("is the name of the model's own volume", "rename it")
        for index, container in enumerate(init_containers):
            if container.name == CONTAINER:
                yield ["initContainers", index, "name"], refuse("is the name of the model's own download", "rename it")
        if normalized(self.path) in taken_mount_paths(volumes):
            yield ["model", "path"], refuse(f"{self.path} is taken by another volume", "choose another path", "/models")

    def volume(self) -> Volume:
        """The volume that holds it."""
        source = self.source
        if source.download is not None:
            return Volume(path=self.path, ephemeral=source.download.size)
        if source.image is not None:
            return Volume(path=self.path, image=source.image)
        return Volume(path=self.path, claim=source.claim, access_mode=source.access_mode, read_only=True)

    def init_containers(self) -> list[InitContainer]:
        """The container that fetches it, where one does."""
        download = self.source.download
        if download is None:
            return []
        return [
            InitContainer(
                name=CONTAINER,
                image=download.image,
                command=download.command,
                env=download.env,
                resources=download.resources,
            )
        ]
