"""Environment variables of containers."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from ..base.arguments import Arguments, Deferred
from ..base.names import EnvName, ObjectName, as_text
from ..base.registration import Manifest

EnvValue = Annotated[Deferred[str], BeforeValidator(as_text)]


Env = dict[EnvName, EnvValue]


class SecretKey(Arguments):
    """A key of a Secret. The value never passes through Pulumi: the kubelet reads it."""

    secret: Deferred[ObjectName]
    """The Secret's name."""

    key: Annotated[str, Field(pattern=r"^[-._a-zA-Z0-9]{1,253}$")]
    """The key in the Secret."""

    def manifest(self) -> Manifest:
        """The variable's ``valueFrom``."""
        return {"secretKeyRef": {"name": self.secret, "key": self.key}}
