"""Arguments of a TrainingJob."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from ..base.errors import refuse
from ..base.names import AnnotationArguments, DnsLabel, LabelArguments, LabelValue
from ..base.quantities import Quantity
from ..pod.resources import Resources
from ..pod.volumes import CHECKPOINT_DIR, Checkpoints, normalized, single_node, taken_mount_paths
from ..workload.args import WorkloadArgs
from ..workload.pod_template import fraction_of_memory
from .await_annotations import WaitFor
from .torchrun import TrainingSecurity

# A trainer that asks for nothing: 4 cores and 8 GiB set aside, 8 cores and 16 GiB at most.
DEFAULT_RESOURCES = Resources(requests={"cpu": "4", "memory": "8Gi"}, limits={"cpu": "8", "memory": "16Gi"})


# PyTorch's DataLoader workers hand batches over in /dev/shm, which is 64 MB without this. Half of
# the memory limit is what Linux itself gives a tmpfs; the other half is left for the process.
SHARED_MEMORY_FRACTION = Decimal("0.5")


ExitCode = Annotated[int, Field(ge=1, le=255, strict=True)]


class TrainingJobArgs(WorkloadArgs):
    """Arguments of a TrainingJob.

    A run that exists is not changed under its feet: a change of what its pods are is refused, by a
    preview already, until a new ``run_id`` makes it a new run. In place change: labels, what Pulumi
    waits for, and of a Job the deadline and the retries of a single worker. A Pod's deadline can be
    set and lowered, and its annotations change. Nothing else of a group changes.
    """

    controller: Literal["job", "pod"] = "job"
    """What runs the training.

    ``job``: a Job, which starts a new pod when one fails. ``pod``: a Pod by itself, restarted in
    place and lost with its node.
    """

    run_id: DnsLabel | None = Field(default=None, examples=["2"])
    """Names a run: the Job is called ``<name>-<run_id>``. A new one starts a new run. Default: the first run."""

    previous_runs: Literal["delete", "keep"] = "delete"
    """What happens to the run before, when ``run_id`` changes.

    ``delete``: it is ended and deleted, then the new run starts. ``keep``: it goes on beside the new
    one, or stays to be looked at, until the TrainingJob itself is deleted.
    """

    workers: Annotated[int, Field(ge=1, le=100_000, strict=True)] = 1
    """How many pods train together, each with a stable name. The most is Kubernetes' own limit."""

    min_workers: Annotated[int, Field(ge=1, strict=True)] | None = Field(default=None, examples=[2])
    """The fewest workers that torchrun goes on with, when some are lost; default: all of them."""

    distributed: Literal["none", "torchrun"] = "none"
    """How several workers become one training.

    ``torchrun``: its options are in the environment, so that ``torchrun train.py`` is the whole
    command. ``none``: the program's own affair; it has its index in JOB_COMPLETION_INDEX.
    """

    restart: Literal["worker", "group"] = "worker"
    """What starts again when a worker fails.

    ``worker``: a new pod in its place. ``group``: all workers together, by the JobSet operator,
    which the cluster has to have.
    """

    framework: LabelValue | None = Field(default=None, examples=["pytorch"])
    """The ``framework`` label: pytorch, tensorflow, jax."""

    experiment: LabelValue | None = None
    """The ``experiment`` label, to find the runs of one experiment together."""

    labels: LabelArguments = {}
    """Labels of all objects. ``app`` is also what selects the pods; default: the component's name.

    The others are not on the pods of a Job, so that they can change while it runs.
    """

    annotations: AnnotationArguments = {}
    """Annotations of all objects and pods. They change in place where the pods are a Pod by itself.

    On the pods of a Job, where schedulers, meshes and scanners read them, they are part of the run.
    """

    checkpoints: Checkpoints | None = None
    """Where the run keeps its checkpoints, so that a retry goes on from the last one."""

    retries: Annotated[int, Field(ge=0, le=1000, strict=True)] = 6
    """How often a failed pod is replaced before the run counts as failed. Default: Kubernetes' own.

    Of several workers each has as many; with ``restart: group`` it counts restarts of all together.
    A pod that is lost with its node, or moved, does not count, except in a group.
    """

    fatal_exit_codes: list[ExitCode] = Field(default=[], examples=[[2]])
    """Exit codes of the training that another try would not fix: the run fails at once."""

    deadline_seconds: Annotated[int, Field(ge=1, strict=True)] | None = Field(default=None, examples=[86400])
    """Seconds after which the run is ended and counts as failed; default: none.

    With ``restart: group`` each start of all together has as many.
    """

    wait_for: WaitFor = "start"
    """What ``pulumi up`` waits for.

    ``start``: it has pods, which wait for nodes or run or have ended, or it is queued; a Pod by
    itself is ready. ``completion``: it has ended well.
    A Job that has not by the next ``up``, because it failed or because ``up`` was interrupted, is
    then started again; not where previous runs are kept, nor a group: these want a new ``run_id``.
    ``none``: only that it has been accepted.
    """

    timeout_seconds: Annotated[int, Field(ge=1, strict=True)] | None = None
    """Seconds that ``pulumi up`` waits; default: the provider's own, ten minutes.

    With ``wait_for: completion`` the default is longer than the deadline, for a group than those of
    all its starts together; without a deadline, a week.
    """

    queue: LabelValue | None = Field(default=None, examples=["team-queue"])
    """The Kueue queue that the run waits in for its turn. Kueue has to be installed."""

    security: TrainingSecurity = TrainingSecurity()
    """Opt-outs from the restricted defaults."""

    def default_resources(self) -> Resources:
        """What a trainer gets that asks for nothing."""
        return DEFAULT_RESOURCES

    def main_container(self) -> str:
        """Its name."""
        return "trainer"

    def memory_for_sharing(self) -> Quantity | None:
        """The size of /dev/shm: as given, or a fraction of the memory limit."""
        return self.shared_memory or fraction_of_memory(self.main_resources(), SHARED_MEMORY_FRACTION)

    def effective_min_workers(self) -> int:
        """The fewest workers that the training goes on with."""
        return self.min_workers or self.workers

    def _component_problems(self) -> list[Any]:
        return [*self._of_one_pod(), *self._of_workers(), *self._of_paths()]

    def _of_one_pod(self) -> list[Any]:
        """What a Pod by itself cannot do."""
        problems: list[Any] = []
        if self.controller == "pod":
            what = "needs the controller job: a Pod by itself is restarted in place, and no more"
            needs_job = {
                "workers": self.workers > 1,
                "fatalExitCodes": bool(self.fatal_exit_codes),
                "queue": self.queue is not None,
                "restart": self.restart == "group",
                "previousRuns": self.previous_runs == "keep",
            }
            problems += [((key,), refuse(what, "set controller: job")) for key, needed in needs_job.items() if needed]
        if self.queue is not None and self.wait_for == "completion":
            fix = "wait for start, which a queued run has reached, or for none"
            error = refuse("a queued run starts when its turn comes, and nobody knows when", fix, value="start")
            problems.append((("waitFor",), error))
        return problems

    def _of_workers(self) -> list[Any]:
        problems: list[Any] = []
        if self.workers == 1:
            alone = {"distributed": self.distributed == "torchrun", "restart": self.restart == "group"}
            for key, wrong in alone.items():
                if wrong:
                    problems.append(((key,), refuse("is for several workers: there is 1", "set workers, or remove it")))
            shared: list[str] = []
        else:
            shared = single_node(self.volumes)
        if self.min_workers is not None and self.distributed != "torchrun":
            error = refuse("only torchrun goes on with fewer workers", "set distributed: torchrun, or remove it")
            problems.append((("minWorkers",), error))
        elif self.min_workers is not None and self.min_workers > self.workers:
            error = refuse(f"{self.min_workers} is more than the {self.workers} workers", None, value=self.workers)
            problems.append((("minWorkers",), error))
        places: list[tuple[str, ...]] = [("volumes", name, "accessMode") for name in shared]
        if self.checkpoints and self.workers > 1 and single_node({"checkpoints": self.checkpoints.volume()}):
            places.append(("checkpoints", "accessMode"))
        for place in places:
            what = f"a claim of one node cannot serve {self.workers} workers, which run on several"
            fix = "use a claim that is ReadWriteMany or ReadOnlyMany, and say so here"
            problems.append((place, refuse(what, fix, value="ReadWriteMany")))
        return problems

    def _of_paths(self) -> list[Any]:
        problems: list[Any] = []
        if self.checkpoints:
            path = self.checkpoints.path
            other = taken_mount_paths(self.volumes).get(normalized(path))
            if other is not None:
                problems.append((("checkpoints", "path"), refuse(f"{path} is taken by {other}")))
            if _CHECKPOINTS in self.volumes:
                error = refuse("is the name of the volume of checkpoints", "give it another name")
                problems.append((("volumes", _CHECKPOINTS), error))
        for section, names in self.variables():
            for name in sorted(filter(self._sets, names)):
                fix = "remove it, and set what it stands for by the argument of its own"
                problems.append(((*section, name), refuse("is set by the training job itself", fix)))
        return problems

    def _sets(self, variable: str) -> bool:
        """Whether the training job itself sets an environment variable."""
        of_torchrun = self.distributed == "torchrun" and variable.startswith("PET_")
        return of_torchrun or (self.checkpoints is not None and variable == CHECKPOINT_DIR)


_CHECKPOINTS = "checkpoints"
