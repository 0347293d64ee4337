"""ML workloads on Kubernetes as Pulumi components."""

from components.arguments import ArgumentError
from components.hardware import NodePool, Toleration
from components.model_service import ModelService, ModelServiceArgs
from components.priority import PriorityClassArgs, PriorityClasses, PriorityClassesArgs
from components.team_namespace import TeamNamespace, TeamNamespaceArgs
from components.training_job import TrainingJob, TrainingJobArgs

__all__ = [
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
