"""The platform of one stack: its teams, and the workloads in their namespaces."""

import gc

import pulumi

from components import ModelService, PriorityClasses, TeamNamespace, TrainingJob
from config import load

# What a program registers lives until it ends: looking for garbage among it finds next to nothing,
# and costs a third of the CPU of 2,000 jobs (python -m benchmarks.training_jobs).
gc.disable()

stack = load()

classes = stack.priority_classes
# Pods of a class that does not exist yet are refused: the teams, and all that is in them, come after.
before = [PriorityClasses("priority", {"classes": classes})] if classes else []
teams = {
    name: TeamNamespace(name, args, pulumi.ResourceOptions(depends_on=before)) for name, args in stack.teams.items()
}
jobs = {name: TrainingJob(name, args.in_team(teams)) for name, args in stack.training_jobs.items()}
services = {name: ModelService(name, args.in_team(teams)) for name, args in stack.model_services.items()}

pulumi.export("namespaces", {name: team.namespace for name, team in teams.items()})
pulumi.export("jobs", {name: job.job_name for name, job in jobs.items()})
pulumi.export(
    "services",
    {name: {"url": service.url, "externalAddress": service.external_address} for name, service in services.items()},
)
# A workload cannot set the image of its nodes: whoever makes the nodes reads it here.
pulumi.export("nodeImages", {name: pool.node_image for name, pool in stack.node_pools.items()})
