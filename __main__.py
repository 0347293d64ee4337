"""The Pulumi program of a stack: its teams, and the workloads in their namespaces."""

import gc

import pulumi

from components import ModelService, PriorityClasses, TeamNamespace, TrainingJob
from config import load

# Resources live until the program ends. Garbage collection would free almost nothing, and take a third of the CPU time
# of 2,000 jobs (python -m benchmarks.training_jobs).
gc.disable()

stack = load()

classes = stack.priority_classes
# The API server rejects pods of a class that does not exist: teams and their workloads are created after the classes.
before = [PriorityClasses("priority", {"classes": classes})] if classes else []
teams = {
    name: TeamNamespace(name, args, pulumi.ResourceOptions(depends_on=before)) for name, args in stack.teams.items()
}
jobs = {name: TrainingJob(name, args.resolve_team(teams)) for name, args in stack.training_jobs.items()}
services = {name: ModelService(name, args.resolve_team(teams)) for name, args in stack.model_services.items()}

pulumi.export("namespaces", {name: team.namespace for name, team in teams.items()})
pulumi.export("jobs", {name: job.job_name for name, job in jobs.items()})
pulumi.export(
    "services",
    {name: {"url": service.url, "externalAddress": service.external_address} for name, service in services.items()},
)
# A workload cannot set the image of its nodes. The stack that creates the nodes reads it from this output.
pulumi.export("nodeImages", {name: pool.node_image for name, pool in stack.node_pools.items()})
