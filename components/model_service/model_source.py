"""The source of a model that is not in the server's image: a volume that the containers mount."""

from collections.abc import Iterator, Mapping, Sequence

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ..base.arguments import Arguments, Deferred, check_exactly_one
from ..base.error_table import MOUNT_PATH_TAKEN, NAME_TAKEN, REQUIRES
from ..base.errors import raise_all
from ..base.names import DeferredImage, Image, ObjectName
from ..base.quantities import ByteSize
from ..pod.env import Env
from ..pod.resources import Resources
from ..pod.volumes import AccessMode, MountPath, Volume, normalized, taken_mount_paths
from ..workload.init_container import InitContainer

VOLUME = "model"
CONTAINER = "model-download"

_SOURCES = ("claim", "image", "download")


class Download(Arguments):
    """An init container that downloads the model into the volume before the server starts.

    It has the environment variables of the workload, including those from Secrets. A change rolls the pods.
    """

    image: DeferredImage | None = Field(default=None, examples=["amazon/aws-cli:2.17.0"])
    """Container image. Defaults to that of the workload."""

    command: list[str] = Field(examples=[["aws", "s3", "sync", "s3://models/bert/v1.2", "/models"]])
    """The program and its arguments. It writes to the model's ``path``."""

    env: Env = {}
    """Environment variables in addition to the workload's. They override those of the same name."""

    resources: Resources = Resources(requests={"cpu": "1", "memory": "1Gi"}, limits={"cpu": "2", "memory": "2Gi"})
    """CPU and memory of the download. The default saturates a fast network link; it ends before the server starts."""

    size: ByteSize = Field(examples=["50Gi"])
    """Size of the volume, which is on the node's own disk, in bytes."""


class ModelSource(Arguments):
    """The source of a model: exactly one of ``claim``, ``image`` and ``download``. A change rolls the pods."""

    claim: Deferred[ObjectName] | None = None
    """An existing PersistentVolumeClaim with the model, mounted read-only."""

    access_mode: AccessMode = "ReadWriteOnce"
    """Access mode of the claim. Several pods require ReadOnlyMany or ReadWriteMany.

    It is validated, and determines the default of ``rollout``. It is not part of the pods. Updatable in place.
    """

    image: Deferred[Image] | None = Field(default=None, examples=["myregistry/models/bert:v1.2"])
    """An OCI image or artifact with the model, mounted read-only. Requires Kubernetes 1.33 or later."""

    download: Download | None = None
    """A download into a volume that is deleted with its pod."""

    @model_validator(mode="after")
    def _check_source(self) -> "ModelSource":
        given = [source for source in _SOURCES if getattr(self, source) is not None]
        check_exactly_one(given, _SOURCES)
        if "access_mode" in self.model_fields_set and self.claim is None:
            raise_all("ModelSource", [(("accessMode",), REQUIRES(requirement="claim", argument="accessMode"))])
        return self


class Model(Arguments):
    """A model that is not in the server's image. A change rolls the pods."""

    source: ModelSource
    """Where the model comes from."""

    path: MountPath = "/models"
    """Mount path of the model in all containers."""

    def problems(
        self, volumes: Mapping[str, Volume], init_containers: Sequence[InitContainer]
    ) -> Iterator[tuple[list[str | int], PydanticCustomError]]:
        """Collisions with the workload's volumes and init containers."""
        if VOLUME in volumes:
            yield ["volumes", VOLUME], NAME_TAKEN(name=VOLUME, owner="the volume of the model")
        for index, container in enumerate(init_containers):
            if container.name == CONTAINER:
                error = NAME_TAKEN(name=CONTAINER, owner="the download of the model")
                yield ["initContainers", index, "name"], error
        owner = taken_mount_paths(volumes).get(normalized(self.path))
        if owner is not None:
            yield ["model", "path"], MOUNT_PATH_TAKEN(path=self.path, owner=owner)

    def volume(self) -> Volume:
        """The volume with the model."""
        source = self.source
        if source.download is not None:
            return Volume(path=self.path, ephemeral=source.download.size)
        if source.image is not None:
            return Volume(path=self.path, image=source.image)
        return Volume(path=self.path, claim=source.claim, access_mode=source.access_mode, read_only=True)

    def init_containers(self) -> list[InitContainer]:
        """The init container of a download; otherwise none."""
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
