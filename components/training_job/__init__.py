"""TrainingJob: a training run, as a Job (default), a JobSet or a bare Pod."""

from .args import TrainingJobArgs
from .component import TrainingJob
from .manifests import manifests

__all__ = ["TrainingJob", "TrainingJobArgs", "manifests"]
