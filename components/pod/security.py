"""How little a container may do: Pod Security ``restricted``, and the opt-outs from it by name."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from ..base.arguments import Arguments
from ..base.registration import Manifest

Standard = Literal["privileged", "baseline", "restricted"]
"""The Pod Security Standards of Kubernetes."""

# Capabilities that a container may add under a standard; under privileged, all.
_RESTRICTED = {"NET_BIND_SERVICE"}
_BASELINE = {
    *_RESTRICTED, "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "SETFCAP", "SETGID",
    "SETPCAP", "SETUID", "SYS_CHROOT",
}  # fmt: skip

NONROOT = 65532
"""The user and group that containers run as: the customary ``nonroot``, above the 10000 below which
a user of the node may have the same number."""


class Security(Arguments):
    """Opt-outs from the restricted defaults, each named so that a reviewer sees it.

    Without any, a pod passes Pod Security ``restricted``, has a read-only root file system with a
    writable ``/tmp``, and no access to the Kubernetes API.
    """

    run_as_user: Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)] = NONROOT
    """User and group ID of the containers, and the group that owns their volumes."""

    run_as_root: bool = False
    """Run as root, for an image that cannot do without. Refused in a ``restricted`` namespace."""

    writable_root: bool = False
    """Let the containers write to their own root file system."""

    capabilities: list[Annotated[str, Field(pattern=r"^[A-Z_]+$")]] = Field(default=[], examples=[["IPC_LOCK"]])
    """Linux capabilities to add, such as IPC_LOCK for RDMA. Refused in a ``restricted`` namespace."""

    api_token: bool = False
    """Mount the service account's token: the workload talks to the Kubernetes API itself."""

    def of_pod(self) -> Manifest:
        """The pod's ``securityContext``."""
        identity = 0 if self.run_as_root else self.run_as_user
        return {
            "runAsNonRoot": not self.run_as_root,
            "runAsUser": identity,
            "runAsGroup": identity,
            "fsGroup": identity,
            # A volume of many files is not walked again at every start.
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


def opt_outs(pod: Mapping[str, Any]) -> dict[str, Standard]:
    """What a workload can ask for and ``restricted`` refuses, with the strictest standard that does not."""
    found: dict[str, Standard] = {}
    if not pod.get("securityContext", {}).get("runAsNonRoot", True):
        found["its containers run as root"] = "baseline"
    containers = [*pod["containers"], *pod.get("initContainers", [])]
    added = {name for c in containers for name in c.get("securityContext", {}).get("capabilities", {}).get("add", [])}
    for name in sorted(added - _RESTRICTED):
        found[f"its containers have the capability {name}"] = "baseline" if name in _BASELINE else "privileged"
    return found
