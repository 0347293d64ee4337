"""Acme's defaults, as a library on top of the components.

There are two ways: a subclass of the arguments changes default values; a new component combines several resources, or
takes fewer arguments.
"""

from collections.abc import Mapping
from typing import Any

import pulumi
from ml_platform import ModelService, NodePool, TeamNamespace, Toleration, TrainingJobArgs

REGISTRY = "registry.acme.example"

L4 = NodePool(
    node_selector={"cloud.google.com/gke-accelerator": "nvidia-l4"},
    tolerations=[Toleration(key="nvidia.com/gpu", effect="NoSchedule")],
    gpu_resource="nvidia.com/gpu",
    image=f"{REGISTRY}/pytorch:2.8",
)


class AcmeTrainingJobArgs(TrainingJobArgs):
    """A training job at Acme: one L4, two retries, at most a day."""

    node_pool: NodePool = L4
    gpus: int = 1
    retries: int = 2
    deadline_seconds: int | None = 24 * 3600


class AcmeTeam(TeamNamespace):
    """A team at Acme: images only from the company's registry, data only from its network."""

    def __init__(
        self, name: str, quota: Mapping[str, str], opts: pulumi.ResourceOptions | None = None, **args: Any
    ) -> None:
        house = {
            "cost_center": f"ml-{name}",
            "registries": [REGISTRY],
            "network": {"allow_to": {"cidrs": ["10.0.0.0/8"]}},
            "access": {"viewers": ["acme-engineers"], "developers": [name], "admins": [f"{name}-leads"]},
        }
        super().__init__(name, {**house, "quota": quota, **args}, opts)


class AcmeModel(pulumi.ComponentResource):
    """A model service at Acme: an image from the company's registry, two replicas, scraped by Prometheus."""

    url: pulumi.Output[str]

    def __init__(
        self, name: str, team: TeamNamespace, version: str, opts: pulumi.ResourceOptions | None = None, **args: Any
    ) -> None:
        super().__init__("acme:index:Model", name, {}, opts)
        house: dict[str, Any] = {"image": f"{REGISTRY}/{name}:{version}", "version": version, "replicas": 2}
        service = ModelService(
            name,
            {"team": team, **house, "annotations": {"prometheus.io/scrape": "true"}, **args},
            pulumi.ResourceOptions(parent=self),
        )
        self.url = service.url
        self.register_outputs({"url": self.url})
