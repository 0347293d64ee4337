"""TrainingJob: a training run, as a Job (default) or as a single Pod."""

from decimal import Decimal
from typing import Annotated, Any, Literal

import pulumi
from pydantic import Field

from components.arguments import checked_name
from components.labels import workload_labels
from components.names import DnsLabel, LabelValue
from components.quantities import Quantity
from components.registration import Manifest, Manifests, register_all
from components.resources import Resources
from components.team_namespace import Tenant
from components.workload import Pod, WorkloadArgs, fraction_of_memory, pod_template, service_account

TYPE = "ml-platform:index:TrainingJob"

# The lesson's training container: 4 cores and 8 GiB set aside, 8 cores and 16 GiB at most.
DEFAULT_RESOURCES = Resources(requests={"cpu": "4", "memory": "8Gi"}, limits={"cpu": "8", "memory": "16Gi"})

# PyTorch's DataLoader workers hand batches over in /dev/shm, which is 64 MB without this. Half of
# the memory limit is what Linux itself gives a tmpfs; the other half is left for the process.
SHARED_MEMORY_FRACTION = Decimal("0.5")


class TrainingJobArgs(WorkloadArgs):
    """Arguments of a TrainingJob."""

    controller: Literal["job", "pod"] = "job"
    """What runs the training.

    ``job``: a Job, which starts a new pod when one fails. ``pod``: a Pod by itself, restarted in
    place and lost with its node.
    """

    framework: LabelValue | None = Field(None, examples=["pytorch"])
    """The ``framework`` label: pytorch, tensorflow, jax."""

    experiment: LabelValue | None = None
    """The ``experiment`` label, to find the runs of one experiment together."""

    retries: Annotated[int, Field(ge=0, le=1000, strict=True)] = 6
    """How often a failed pod is replaced before the run counts as failed. Default: Kubernetes' own."""

    deadline: Annotated[int, Field(ge=1, strict=True)] | None = None
    """Seconds after which the run is ended and counts as failed; default: none."""

    timeout: Annotated[int, Field(ge=1, strict=True)] | None = None
    """Seconds that ``pulumi up`` waits; default: the provider's own, ten minutes."""

    def default_resources(self) -> Resources:
        """The lesson's."""
        return DEFAULT_RESOURCES

    def memory_for_sharing(self) -> Quantity | None:
        """The size of /dev/shm: as given, or a fraction of the memory limit."""
        return self.shared_memory or fraction_of_memory(self.main_resources(), SHARED_MEMORY_FRACTION)


def manifests(name: str, args: TrainingJobArgs, tenant: Tenant) -> Manifests:
    """The objects of a TrainingJob, by role."""
    derived = {"team": tenant.team, "framework": args.framework, "experiment": args.experiment}
    labels = workload_labels(name, "training", args.labels, derived)
    metadata = {"name": name, "namespace": tenant.namespace, "labels": labels}
    restart = "OnFailure" if args.controller == "pod" else "Never"
    pod = Pod("trainer", labels, shared_memory=args.memory_for_sharing(), spec={"restartPolicy": restart})
    template = pod_template(name, args, pod)
    make = _pod if args.controller == "pod" else _job
    return {**service_account(name, args, metadata), args.controller: make(metadata, template, args)}


def _pod(metadata: Manifest, template: Manifest, args: TrainingJobArgs) -> Manifest:
    deadline = {"activeDeadlineSeconds": args.deadline} if args.deadline else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**template["metadata"], **metadata},
        "spec": {**template["spec"], **deadline},
    }


def _job(metadata: Manifest, template: Manifest, args: TrainingJobArgs) -> Manifest:
    deadline = {"activeDeadlineSeconds": args.deadline} if args.deadline else {}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        # No time to live after the end: a Job that is gone would be created, and trained, again.
        "spec": {"backoffLimit": args.retries, **deadline, "template": template},
    }


class TrainingJob(pulumi.ComponentResource):
    """A training run in a team's namespace.

    Children: ``<name>-job``, or ``<name>-pod`` with the controller ``pod``; ``<name>-service-account``.
    """

    job_name: pulumi.Output[str]
    """Name of the Job or Pod."""

    namespace: pulumi.Output[str]
    """Namespace that it runs in."""

    def __init__(
        self, name: str, args: TrainingJobArgs | dict[str, Any], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = TrainingJobArgs.of(args)
        checked_name("TrainingJob", name, DnsLabel)
        objects = manifests(name, args, args.tenant())
        args.count_in(f"TrainingJob {name}", objects)
        super().__init__(TYPE, name, {}, opts)
        children = register_all(self, name, objects, depends_on=args.dependencies(), timeout=args.timeout)
        metadata = children[args.controller].metadata
        self.job_name = metadata.apply(lambda metadata: metadata["name"])
        self.namespace = metadata.apply(lambda metadata: metadata["namespace"])
        self.register_outputs({"jobName": self.job_name, "namespace": self.namespace})
