"""Init containers of workloads."""

from typing import Self

from pydantic import model_validator

from ..base.arguments import Arguments
from ..base.error_table import INIT_WITHOUT_RESOURCES
from ..base.errors import raise_all
from ..base.names import DeferredImage, DnsLabel
from ..pod.env import Env
from ..pod.resources import Resources


class InitContainer(Arguments):
    """A container that runs to completion before the main container starts, for example to stage data.

    A change rolls the pods of a service; a job needs a new run.
    """

    name: DnsLabel
    """The name of the container. Must be unique in the pod."""

    image: DeferredImage | None = None
    """The container image. Defaults to that of the main container."""

    command: list[str] = []
    """The entry point and its first arguments. Defaults to the entry point of the image."""

    args: list[str] = []
    """Arguments to the entry point."""

    env: Env = {}
    """Environment variables, in addition to those of the workload. They override variables of the same name."""

    resources: Resources
    """The resources of the container. Required, since a ResourceQuota rejects pods with a container without any."""

    @model_validator(mode="after")
    def _has_resources(self) -> Self:
        if not self.resources.requests and not self.resources.limits:
            raise_all("InitContainer", [(("resources",), INIT_WITHOUT_RESOURCES())])
        return self
