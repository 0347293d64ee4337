"""ModelService: a model behind a stable name, changed without dropping a request."""

from .args import ModelServiceArgs
from .component import ModelService
from .manifests import manifests

__all__ = ["ModelService", "ModelServiceArgs", "manifests"]
