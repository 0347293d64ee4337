"""The privileges of pods: Pod Security ``restricted`` by default, with an explicit argument for each exception."""

from typing import Annotated, Literal

from pydantic import Field

from ..base.arguments import Arguments
from ..base.objects import Manifest, containers

PodSecurityLevel = Literal["privileged", "baseline", "restricted"]
"""The levels of the Pod Security Standards, the least strict first."""

# Capabilities that a container may add at a level; at privileged, all.
_RESTRICTED = {"NET_BIND_SERVICE"}
_BASELINE = {
    *_RESTRICTED, "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "SETFCAP", "SETGID",
    "SETPCAP", "SETUID", "SYS_CHROOT",
}  # fmt: skip

NONROOT = 65532
"""The default user and group ID of containers: the customary ``nonroot``, above 10000, so that it does not equal the
ID of a user of the node."""


class Security(Arguments):
    """Exceptions from the restricted defaults.

    Without any, a pod complies with Pod Security ``restricted``, has a read-only root file system with a writable
    ``/tmp``, and no access to the Kubernetes API.

    A change rolls the pods of a service; a job needs a new run.
    """

    run_as_user: Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)] = NONROOT
    """The user and group ID of the containers, and the group that owns their volumes."""

    run_as_root: bool = False
    """Run the containers as root. Requires ``podSecurity: baseline`` of the team."""

    writable_root: bool = False
    """Mount the root file system of the containers read-write."""

    capabilities: list[Annotated[str, Field(pattern=r"^[A-Z_]+$")]] = Field(default=[], examples=[["IPC_LOCK"]])
    """Linux capabilities to add, such as IPC_LOCK for RDMA.

    A ``restricted`` namespace allows only NET_BIND_SERVICE.
    """

    api_token: bool = False
    """Mount the token of the service account, for programs that call the Kubernetes API."""

    def of_pod(self) -> Manifest:
        """The pod's ``securityContext``."""
        identity = 0 if self.run_as_root else self.run_as_user
        return {
            "runAsNonRoot": not self.run_as_root,
            "runAsUser": identity,
            "runAsGroup": identity,
            "fsGroup": identity,
            # Does not change the owner of every file of a large volume at each start.
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        }

    def of_container(self) -> Manifest:
        """The container's ``securityContext``."""
        capabilities: Manifest = {"drop": ["ALL"]}
        if self.capabilities:
            capabilities["add"] = self.capabilities
        return {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": not self.writable_root,
            "capabilities": capabilities,
        }


def restricted_violations(pod: Manifest) -> dict[str, PodSecurityLevel]:
    """The settings of a pod's spec that ``restricted`` denies, in words, with the strictest level that allows each."""
    found: dict[str, PodSecurityLevel] = {}
    if not pod.get("securityContext", {}).get("runAsNonRoot", True):
        found["its containers run as root"] = "baseline"
    contexts = [container.get("securityContext", {}) for container in containers(pod)]
    added = {name for context in contexts for name in context.get("capabilities", {}).get("add", [])}
    for name in sorted(added - _RESTRICTED):
        found[f"its containers have the capability {name}"] = "baseline" if name in _BASELINE else "privileged"
    return found
