"""A stable in-cluster name for a model that a provider hosts. Clients do not change if it moves to the cluster."""

import pulumi
from ml_platform import ModelService, TeamNamespace

team = TeamNamespace("assistants", {"team": "assistants", "network": {"allow_to": {"cidrs": ["0.0.0.0/0"]}}})

# To serve it from the cluster later, set an image and remove `type` and `external_name`. The URL does not change.
service = ModelService(
    "chat",
    {
        "team": team,
        "service": {"name": "chat-api", "type": "ExternalName", "external_name": "models.example.com", "port": 443},
    },
)

pulumi.export("url", service.url)
