"""TeamNamespace: the namespace of a team, with its quotas, limits, network policies and roles."""

from .args import TeamNamespaceArgs
from .component import TeamNamespace
from .manifests import manifests

__all__ = ["TeamNamespace", "TeamNamespaceArgs", "manifests"]
