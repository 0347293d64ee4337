"""Arguments of a TrainingJob."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from ..base.error_table import (
    EXCEEDS,
    MANAGED,
    MOUNT_PATH_TAKEN,
    MUTUALLY_EXCLUSIVE,
    NAME_TAKEN,
    REQUIRES,
    SINGLE_NODE_VOLUME,
)
from ..base.names import AnnotationArguments, DnsLabel, LabelArguments, LabelValue
from ..base.quantities import Quantity
from ..pod.resources import Resources
from ..pod.volumes import CHECKPOINT_DIR, Checkpoints, normalized, single_node, taken_mount_paths
from ..workload.args import WorkloadArgs
from ..workload.pod_template import fraction_of_memory
from .await_annotations import WaitFor
from .torchrun import TrainingSecurity

CHECKPOINTS_VOLUME = "checkpoints"

DEFAULT_RESOURCES = Resources(requests={"cpu": "4", "memory": "8Gi"}, limits={"cpu": "8", "memory": "16Gi"})

# PyTorch's DataLoader workers pass batches in /dev/shm, which is limited to 64 MB by default. Half of
# the memory limit is Linux' own default for a tmpfs; the other half is left to the process.
SHARED_MEMORY_FRACTION = Decimal("0.5")

ExitCode = Annotated[int, Field(ge=1, le=255, strict=True)]


class TrainingJobArgs(WorkloadArgs):
    """Arguments of a TrainingJob.

    An existing run's pod template is immutable: a preview already rejects a change of it until a new
    ``run_id`` starts a new run. Updatable in place are the labels, what Pulumi waits for, and of a Job
    with one worker the deadline and the retries. A bare Pod's annotations are updatable too, and its
    deadline can be set and lowered. The spec of a JobSet is immutable as a whole.
    """

    controller: Literal["job", "pod"] = "job"
    """The object that runs the training.

    ``job``: a Job, which creates a new pod when one fails. ``pod``: a bare Pod, whose containers are
    restarted in place, and which is lost with its node. A change needs a new run.
    """

    run_id: DnsLabel | None = Field(default=None, examples=["2"])
    """Identifies a run, whose object is named ``<name>-<run_id>``. Without it, the object is named ``<name>``.

    A new ``run_id`` starts a new run. A change replaces the object.
    """

    previous_runs: Literal["delete", "keep"] = "delete"
    """What happens to the previous run when ``run_id`` changes.

    ``delete``: it is stopped and deleted before the new run starts. ``keep``: it continues beside the
    new one, or remains for inspection, until the TrainingJob itself is deleted. Deploy ``keep`` before
    the new ``run_id``. Requires ``controller: job``. Updatable in place.
    """

    workers: Annotated[int, Field(ge=1, le=100_000, strict=True)] = 1
    """Number of pods that train together, each with a stable name.

    The maximum is that of Kubernetes for an Indexed Job. More than one requires ``controller: job``.
    A change needs a new run.
    """

    min_workers: Annotated[int, Field(ge=1, strict=True)] | None = Field(default=None, examples=[2])
    """Number of workers that torchrun continues with when others are lost. Defaults to ``workers``.

    Requires ``distributed: torchrun``. A change needs a new run.
    """

    distributed: Literal["none", "torchrun"] = "none"
    """How several workers form one training.

    ``torchrun``: its options are set in the environment, so that ``torchrun train.py`` is the whole
    command. ``none``: the program decides; JOB_COMPLETION_INDEX is its index. A change needs a new run.
    """

    restart: Literal["worker", "group"] = "worker"
    """What is restarted when a worker fails.

    ``worker``: that worker only, as a new pod. ``group``: all workers together, by the JobSet operator,
    which must be installed in the cluster. A change needs a new run.
    """

    framework: LabelValue | None = Field(default=None, examples=["pytorch"])
    """The ``framework`` label, such as pytorch, tensorflow or jax.

    On a bare Pod, it is updatable in place; otherwise it is part of the pod template. A change needs a new run.
    """

    experiment: LabelValue | None = None
    """The ``experiment`` label, which groups the runs of one experiment.

    On a bare Pod, it is updatable in place; otherwise it is part of the pod template. A change needs a new run.
    """

    labels: LabelArguments = {}
    """Labels of all objects. ``app``, which defaults to the component's name, is also the selector of the pods.

    ``app`` is part of the pod template and needs a new run. The pods of a Job do not have the other
    labels, so that these can change during a run. Updatable in place.
    """

    annotations: AnnotationArguments = {}
    """Annotations of all objects and pods.

    Those of a bare Pod are updatable in place. Those of a Job's pods, which schedulers, service meshes
    and scanners read, are part of the pod template. A change needs a new run.
    """

    checkpoints: Checkpoints | None = None
    """Where the run stores its checkpoints, so that a retry resumes from the latest one. A change needs a new run."""

    retries: Annotated[int, Field(ge=0, le=1000, strict=True)] = 6
    """Number of times that a failed pod is replaced before the run fails.

    With several workers, each has this number; with ``restart: group``, it is the number of restarts of
    the whole group. Evicted pods and those that are lost with their node do not count, except in a
    group. The default is Kubernetes' own ``backoffLimit``. With several workers, a change needs a new
    run; with one, the Job is updated. Updatable in place.
    """

    fatal_exit_codes: list[ExitCode] = Field(default=[], examples=[[2]])
    """Exit codes of the training that fail the run immediately, since a retry would not help.

    Requires ``controller: job``. A change needs a new run.
    """

    deadline_seconds: Annotated[int, Field(ge=1, strict=True)] | None = Field(default=None, examples=[86400])
    """Seconds after which the run is stopped and counts as failed.

    With ``restart: group`` it applies to each start of the group, and a change needs a new run. That of
    a bare Pod can be set and lowered; to raise or remove it needs a new run. Updatable in place.
    """

    wait_for: WaitFor = "start"
    """What ``pulumi up`` waits for.

    ``start``: the run has pods, whether pending, running or finished, or it is queued; a bare Pod is
    ready. ``completion``: the run has succeeded. ``none``: the API server has accepted it.
    With ``completion``, the next ``up`` restarts a Job that has not succeeded, because it failed or
    because ``up`` was interrupted, unless ``previous_runs`` is ``keep`` or ``restart`` is ``group``:
    these require a new ``run_id``. Updatable in place.
    """

    timeout_seconds: Annotated[int, Field(ge=1, strict=True)] | None = None
    """Seconds that ``pulumi up`` waits for each object. Defaults to the provider's ten minutes.

    With ``wait_for: completion``, the default is five minutes more than the deadline, for a group than
    the deadlines of all its starts; without a deadline it is one week. Updatable in place.
    """

    queue: LabelValue | None = Field(default=None, examples=["team-queue"])
    """The Kueue LocalQueue that admits the run. Kueue must be installed in the cluster.

    Requires ``controller: job``. Kueue accepts a change only while the run is queued. Updatable in place.
    """

    security: TrainingSecurity = TrainingSecurity()
    """Opt-outs from the restricted defaults.

    ``open_egress`` is updatable in place; the others are part of the pod template. A change needs a new run.
    """

    def default_resources(self) -> Resources:
        """The resources of a trainer that sets none."""
        return DEFAULT_RESOURCES

    def main_container(self) -> str:
        """The main container's name."""
        return self.container_name or "trainer"

    def memory_for_sharing(self) -> Quantity | None:
        """The size of /dev/shm: ``shared_memory``, or a fraction of the memory limit."""
        return self.shared_memory or fraction_of_memory(self.main_resources(), SHARED_MEMORY_FRACTION)

    def effective_min_workers(self) -> int:
        """The number of workers that the training requires."""
        return self.min_workers or self.workers

    def _component_problems(self) -> list[Any]:
        return [
            *self._controller_problems(),
            *self._worker_problems(),
            *self._volume_problems(),
            *self._checkpoint_problems(),
            *self._variable_problems(),
        ]

    def _controller_problems(self) -> Iterator[Any]:
        """Arguments that require a Job, and what its queue excludes."""
        require_job = {
            "workers": self.workers > 1,
            "fatalExitCodes": bool(self.fatal_exit_codes),
            "queue": self.queue is not None,
            "restart": self.restart == "group",
            "previousRuns": self.previous_runs == "keep",
        }
        for argument, is_set in require_job.items():
            if is_set and self.controller == "pod":
                yield (argument,), REQUIRES(requirement="controller: job", argument=argument)
        if self.queue is not None and self.wait_for == "completion":
            error = MUTUALLY_EXCLUSIVE(
                argument="waitFor: completion",
                other="queue",
                reason="a run can be queued for any length of time",
                fix="set waitFor: start, which a queued run meets, or remove queue",
                value="start",
            )
            yield ("waitFor",), error

    def _worker_problems(self) -> Iterator[Any]:
        """Arguments that require several workers, and the bounds of ``min_workers``."""
        require_workers = {"distributed": self.distributed == "torchrun", "restart": self.restart == "group"}
        for argument, is_set in require_workers.items():
            if is_set and self.workers == 1:
                yield (argument,), REQUIRES(requirement="workers: 2 or more", argument=argument)
        if self.min_workers is not None and self.distributed != "torchrun":
            yield ("minWorkers",), REQUIRES(requirement="distributed: torchrun", argument="minWorkers")
        elif self.min_workers is not None and self.min_workers > self.workers:
            error = EXCEEDS(given=self.min_workers, bound="workers", limit=self.workers, value=self.workers)
            yield ("minWorkers",), error

    def _volume_problems(self) -> Iterator[Any]:
        """Volumes that only the pods of one node can mount, and workers on several."""
        if self.workers == 1:
            return
        modes: dict[tuple[str, ...], str] = {
            ("volumes", name): self.volumes[name].access_mode for name in single_node(self.volumes)
        }
        if self.checkpoints and single_node({CHECKPOINTS_VOLUME: self.checkpoints.volume()}):
            modes["checkpoints",] = self.checkpoints.access_mode
        fix = "use a claim that is ReadWriteMany or ReadOnlyMany, and set accessMode to that"
        for path, mode in modes.items():
            error = SINGLE_NODE_VOLUME(mode=mode, users=f"{self.workers} workers", fix=fix, value="ReadWriteMany")
            yield (*path, "accessMode"), error

    def _checkpoint_problems(self) -> Iterator[Any]:
        """Collisions of the checkpoints' volume with others."""
        if self.checkpoints is None:
            return
        owner = taken_mount_paths(self.volumes).get(normalized(self.checkpoints.path))
        if owner is not None:
            yield ("checkpoints", "path"), MOUNT_PATH_TAKEN(path=self.checkpoints.path, owner=owner)
        if CHECKPOINTS_VOLUME in self.volumes:
            error = NAME_TAKEN(name=CHECKPOINTS_VOLUME, owner="the volume of checkpoints")
            yield ("volumes", CHECKPOINTS_VOLUME), error

    def _variable_problems(self) -> Iterator[Any]:
        for section, names in self.variables():
            for name in sorted(filter(self._is_managed, names)):
                yield (*section, name), MANAGED(component="TrainingJob")

    def _is_managed(self, variable: str) -> bool:
        """Whether the TrainingJob sets an environment variable."""
        is_option = self.distributed == "torchrun" and variable.startswith("PET_")
        return is_option or (self.checkpoints is not None and variable == CHECKPOINT_DIR)
