"""A canary: a new version of a model for a quarter of the requests.

pulumi config set candidate v1.3     start: one pod of the new version next to three of the old one
pulumi config set stable v1.3        promote the new version ...
pulumi config rm candidate           ... and remove the canary, in the same `pulumi up`
"""

import pulumi
from ml_platform import ModelService, TeamNamespace

IMAGE = "ghcr.io/acme/bert-serving"

config = pulumi.Config()
stable, candidate = config.require("stable"), config.get("candidate")

team = TeamNamespace("search", {"team": "search", "network": {"serving": {"ports": [8080], "namespaces": ["web"]}}})

service = ModelService(
    "bert",
    {
        "team": team,
        "image": f"{IMAGE}:{stable}",
        "version": stable,
        "replicas": 3,
        "service": {"name": "bert-api"},
        "health": {"readiness": {"path": "/health", "period_seconds": 5}},
        "canary": {"image": f"{IMAGE}:{candidate}", "version": candidate, "weight": 25} if candidate else None,
    },
)

pulumi.export("url", service.url)
