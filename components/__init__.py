"""ML workloads on Kubernetes as Pulumi components."""

from .arguments import ArgumentError
from .hardware import NodePool, Toleration
from .model_service import ModelService, ModelServiceArgs
from .priority import PriorityClassArgs, PriorityClasses, PriorityClassesArgs
from .team_namespace import TeamNamespace, TeamNamespaceArgs
from .training_job import TrainingJob, TrainingJobArgs
from .version import VERSION

__all__ = [
    "VERSION",
    "ArgumentError",
    "ModelService",
    "ModelServiceArgs",
    "NodePool",
    "PriorityClassArgs",
    "PriorityClasses",
    "PriorityClassesArgs",
    "TeamNamespace",
    "TeamNamespaceArgs",
    "Toleration",
    "TrainingJob",
    "TrainingJobArgs",
]
