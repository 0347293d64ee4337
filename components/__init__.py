"""ML workloads on Kubernetes as Pulumi components.

Exports the components, and every model that an argument can hold.
"""

from .base.errors import ArgumentError, Problem
from .model_service.args import ModelServiceArgs
from .model_service.autoscaling import Autoscale, KedaTrigger, Metric
from .model_service.canary import Canary
from .model_service.component import ModelService
from .model_service.metrics import Metrics
from .model_service.model_source import Download, Model, ModelSource
from .model_service.networking import IngressArgs, RouteArgs, ServiceArgs
from .model_service.probes import Health, Probe
from .model_service.rollout import Disruption
from .pod.env import SecretKey
from .pod.node_pool import NodePool, NodePoolAutoscaling, Toleration
from .pod.resources import Resources
from .pod.security import Security
from .pod.volumes import Checkpoints, Volume
from .priority_classes import PriorityClassArgs, PriorityClasses, PriorityClassesArgs
from .team_namespace.args import TeamNamespaceArgs
from .team_namespace.component import TeamNamespace
from .team_namespace.limit_range import ContainerLimits
from .team_namespace.network_policies import Network, Peers, Serving
from .team_namespace.rbac import Access
from .training_job.args import TrainingJobArgs
from .training_job.component import TrainingJob
from .training_job.torchrun import TrainingSecurity
from .version import VERSION
from .workload.init_container import InitContainer

__all__ = [
    "VERSION",
    "Access",
    "ArgumentError",
    "Autoscale",
    "Canary",
    "Checkpoints",
    "ContainerLimits",
    "Disruption",
    "Download",
    "Health",
    "IngressArgs",
    "InitContainer",
    "KedaTrigger",
    "Metric",
    "Metrics",
    "Model",
    "ModelService",
    "ModelServiceArgs",
    "ModelSource",
    "Network",
    "NodePool",
    "NodePoolAutoscaling",
    "Peers",
    "PriorityClassArgs",
    "PriorityClasses",
    "PriorityClassesArgs",
    "Probe",
    "Problem",
    "Resources",
    "RouteArgs",
    "SecretKey",
    "Security",
    "ServiceArgs",
    "Serving",
    "TeamNamespace",
    "TeamNamespaceArgs",
    "Toleration",
    "TrainingJob",
    "TrainingJobArgs",
    "TrainingSecurity",
    "Volume",
]
