"""TeamNamespace: a namespace that belongs to a team, and all that keeps it from hurting the others, or itself."""

from .args import TeamNamespaceArgs
from .component import TeamNamespace
from .manifests import manifests

__all__ = ["TeamNamespace", "TeamNamespaceArgs", "manifests"]
