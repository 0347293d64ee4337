"""ML workloads on Kubernetes as Pulumi components."""

from .base.errors import ArgumentError
from .model_service.args import ModelServiceArgs
from .model_service.component import ModelService
from .pod.node_pool import NodePool, Toleration
from .priority_classes import PriorityClassArgs, PriorityClasses, PriorityClassesArgs
from .team_namespace.args import TeamNamespaceArgs
from .team_namespace.component import TeamNamespace
from .training_job.args import TrainingJobArgs
from .training_job.component import TrainingJob
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
