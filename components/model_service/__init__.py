"""ModelService: a model behind a stable name, updated without dropped requests."""

from .args import ModelServiceArgs
from .component import ModelService
from .manifests import manifests

__all__ = ["ModelService", "ModelServiceArgs", "manifests"]
