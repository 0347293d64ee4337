"""A name in the cluster for a model that a provider hosts: clients stay as they are when it moves in."""

import pulumi
from ml_platform import ModelService, TeamNamespace

team = TeamNamespace("assistants", {"team": "assistants", "network": {"allow_to": {"cidrs": ["0.0.0.0/0"]}}})

# To host it here later, give it an image and take `type` and `external_name` away: the URL stays.
service = ModelService(
    "chat",
    {
        "team": team,
        "service": {"name": "chat-api", "type": "ExternalName", "external_name": "models.example.com", "port": 443},
    },
)

pulumi.export("url", service.url)
