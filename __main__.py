"""The Pulumi program of a stack: its teams, and the workloads in their namespaces."""

import gc

import pulumi

from components import ModelService, PriorityClasses, TeamNamespace, TrainingJob
from components.base.inventory import Inventory
from config import load

# Resources live until the program ends. Garbage collection would free almost nothing, and take a third of the CPU time
# of 2,000 jobs (python -m benchmarks.training_jobs).
gc.disable()

stack = load()

inventory = Inventory("inventory", stack.inventory())


def options(former: str | None = None, *before: pulumi.Resource) -> pulumi.ResourceOptions:
    """The options of a component: the key that it had before, and what has to exist first."""
    aliases = [pulumi.Alias(name=former)] if former else None
    return pulumi.ResourceOptions(aliases=aliases, depends_on=[inventory.compared, *before])


classes = stack.priority_classes
# The API server rejects pods of a class that does not exist: teams and their workloads are created after the classes.
before = [PriorityClasses("priority", {"classes": classes}, options())] if classes else []
teams = {name: TeamNamespace(name, args, options(args.formerly, *before)) for name, args in stack.teams.items()}
jobs = {
    name: TrainingJob(name, args.resolve_team(teams), options(args.formerly))
    for name, args in stack.training_jobs.items()
}
services = {
    name: ModelService(name, args.resolve_team(teams), options(args.formerly))
    for name, args in stack.model_services.items()
}

pulumi.export("namespaces", {name: team.namespace for name, team in teams.items()})
pulumi.export("jobs", {name: job.job_name for name, job in jobs.items()})
pulumi.export(
    "services",
    {name: {"url": service.url, "externalAddress": service.external_address} for name, service in services.items()},
)
# A workload cannot set the image of its nodes. The stack that creates the nodes reads it from this output.
pulumi.export("nodeImages", {name: pool.node_image for name, pool in stack.node_pools.items()})
