"""Environment variables of containers."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from ..base.arguments import Arguments, Deferred
from ..base.names import EnvName, ObjectName, as_text
from ..base.objects import Manifest

EnvValue = Annotated[Deferred[str], BeforeValidator(as_text)]

Env = dict[EnvName, EnvValue]
"""Environment variables by name. Numbers and booleans of YAML are converted to text."""


class SecretKey(Arguments):
    """A key of a Secret. The kubelet reads the value; Pulumi never does.

    A change rolls the pods of a service; a job needs a new run.
    """

    secret: Deferred[ObjectName]
    """The name of the Secret, in the namespace of the workload."""

    key: Annotated[str, Field(pattern=r"^[-._a-zA-Z0-9]{1,253}$")]
    """The key in the Secret."""

    def manifest(self) -> Manifest:
        """The variable's ``valueFrom``."""
        return {"secretKeyRef": {"name": self.secret, "key": self.key}}
