"""A team with a quota, two priorities and roles for its members."""

import pulumi
from ml_platform import PriorityClasses, TeamNamespace, TrainingJob

# PriorityClasses are cluster-scoped: one program creates them for all teams.
priorities = PriorityClasses(
    "priority",
    {
        "classes": {
            "batch": {"value": 0, "preemption": "Never", "description": "Runs when there is room."},
            "deadline": {"value": 1000, "description": "Training with a deadline."},
        }
    },
)

team = TeamNamespace(
    "vision",
    {
        "team": "computer-vision",
        "owner": "vision-on-call",
        "cost_center": "cc-1234",
        "quota": {
            "requests.cpu": "64",
            "requests.memory": "256Gi",
            "limits.memory": "512Gi",
            "requests.nvidia.com/gpu": "8",
            "pods": "40",
        },
        # At most two of the eight GPUs may be used at the priority that evicts other pods.
        "priority_quotas": {"batch": {"pods": "40"}, "deadline": {"requests.nvidia.com/gpu": "2"}},
        "container_limits": {"default_request": {"cpu": "250m", "memory": "512Mi"}, "default": {"memory": "2Gi"}},
        # Data and packages come from the company's network.
        "network": {"allow_to": {"cidrs": ["10.0.0.0/8"]}},
        "access": {"viewers": ["engineers"], "developers": ["vision"], "admins": ["vision-leads"]},
    },
    pulumi.ResourceOptions(depends_on=[priorities]),
)

# Counted towards the quota before anything is deployed: twelve of these would exceed it.
TrainingJob(
    "segmentation",
    {
        "team": team,
        "image": "ghcr.io/acme/segmentation:v7",
        "command": ["python", "train.py"],
        "priority_class": "batch",
        "resources": {"requests": {"cpu": "4", "memory": "16Gi"}, "limits": {"memory": "32Gi"}},
    },
)

pulumi.export("namespace", team.namespace)
