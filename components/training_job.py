"""TrainingJob: a training run, as a Job (default), a JobSet, or a single Pod."""

from decimal import Decimal
from typing import Annotated, Any, Literal

import pulumi
from pydantic import Field

from .arguments import checked_name, refuse
from .distributed import TrainingSecurity, network, service_name, torchrun
from .jobset import NEEDS_OPERATOR, Operator, jobset, name_of_job
from .labels import WORKERS, Labels, workload_labels
from .names import Annotations as AnnotationArguments
from .names import DnsLabel, LabelValue, ServiceName
from .names import Labels as LabelArguments
from .quantities import Quantity
from .registration import KubernetesObject, Manifest, Manifests, annotated, register_all
from .resources import Resources
from .runs import guarded, owned, run_name, run_of
from .team_namespace import Tenant
from .volumes import CHECKPOINT_DIR, Checkpoints, normalized, of_one_node, taken_places
from .waiting import WaitFor, ended_well, of_job, of_jobset, of_pod, seconds
from .workload import Pod, WorkloadArgs, fraction_of_memory, pod_template, service_account

TYPE = "ml-platform:index:TrainingJob"

# A trainer that asks for nothing: 4 cores and 8 GiB set aside, 8 cores and 16 GiB at most.
DEFAULT_RESOURCES = Resources(requests={"cpu": "4", "memory": "8Gi"}, limits={"cpu": "8", "memory": "16Gi"})

# PyTorch's DataLoader workers hand batches over in /dev/shm, which is 64 MB without this. Half of
# the memory limit is what Linux itself gives a tmpfs; the other half is left for the process.
SHARED_MEMORY_FRACTION = Decimal("0.5")

# A node that is emptied to save money would end a run that has cost more.
_POD_ANNOTATIONS = {"karpenter.sh/do-not-disrupt": "true"}

# A sidecar does not end when the training ends, and the Job with it would never be complete.
_POD_LABELS = {"sidecar.istio.io/inject": "false"}

QUEUE_LABEL = "kueue.x-k8s.io/queue-name"

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
    """Exit codes of the training that another try would not mend: the run fails at once."""

    deadline: Annotated[int, Field(ge=1, strict=True)] | None = Field(default=None, examples=[86400])
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

    timeout: Annotated[int, Field(ge=1, strict=True)] | None = None
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

    def at_least(self) -> int:
        """The fewest workers that the training goes on with."""
        return self.min_workers or self.workers

    def _own(self) -> list[Any]:
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
            mend = "wait for start, which a queued run has reached, or for none"
            error = refuse("a queued run starts when its turn comes, and nobody knows when", mend, value="start")
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
            shared = of_one_node(self.volumes)
        if self.min_workers is not None and self.distributed != "torchrun":
            error = refuse("only torchrun goes on with fewer workers", "set distributed: torchrun, or remove it")
            problems.append((("minWorkers",), error))
        elif self.min_workers is not None and self.min_workers > self.workers:
            error = refuse(f"{self.min_workers} is more than the {self.workers} workers", None, value=self.workers)
            problems.append((("minWorkers",), error))
        places: list[tuple[str, ...]] = [("volumes", name, "accessMode") for name in shared]
        if self.checkpoints and self.workers > 1 and of_one_node({"checkpoints": self.checkpoints.volume()}):
            places.append(("checkpoints", "accessMode"))
        for place in places:
            what = f"a claim of one node cannot serve {self.workers} workers, which run on several"
            mend = "use a claim that is ReadWriteMany or ReadOnlyMany, and say so here"
            problems.append((place, refuse(what, mend, value="ReadWriteMany")))
        return problems

    def _of_paths(self) -> list[Any]:
        problems: list[Any] = []
        if self.checkpoints:
            path = self.checkpoints.path
            other = taken_places(self.volumes).get(normalized(path))
            if other is not None:
                problems.append((("checkpoints", "path"), refuse(f"{path} is taken by {other}")))
            if _CHECKPOINTS in self.volumes:
                error = refuse("is the name of the volume of checkpoints", "give it another name")
                problems.append((("volumes", _CHECKPOINTS), error))
        for section, names in self.variables():
            for name in sorted(filter(self._sets, names)):
                mend = "remove it, and set what it stands for by the argument of its own"
                problems.append(((*section, name), refuse("is set by the training job itself", mend)))
        return problems

    def _sets(self, variable: str) -> bool:
        """Whether the training job itself sets an environment variable."""
        of_torchrun = self.distributed == "torchrun" and variable.startswith("PET_")
        return of_torchrun or (self.checkpoints is not None and variable == CHECKPOINT_DIR)


_CHECKPOINTS = "checkpoints"


def manifests(name: str, args: TrainingJobArgs, tenant: Tenant) -> Manifests:
    """The objects of a TrainingJob, by role; the run itself comes last."""
    derived = {"team": tenant.team, "framework": args.framework, "experiment": args.experiment}
    labels = workload_labels(name, "training", args.labels, derived)
    metadata = annotated({"name": name, "namespace": tenant.namespace, "labels": labels}, args.annotations)
    objects: dict[str, Manifest] = dict(service_account(name, args, metadata))
    if args.previous_runs == "keep":
        # Owns the runs: when it goes, Kubernetes deletes them all.
        runs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {**metadata, "name": f"{name}-runs"}}
        objects["runs"] = runs
    if args.workers > 1:
        objects |= network(name, metadata, labels, open_egress=args.security.open_egress)
    return {**objects, run_role(args): _run(name, args, metadata)}


def run_role(args: TrainingJobArgs) -> str:
    """The role of the object that is the run."""
    return "jobset" if args.restart == "group" else args.controller


def _run(name: str, args: TrainingJobArgs, metadata: Manifest) -> Manifest:
    run = run_name(name, args.run_id)
    queue = {QUEUE_LABEL: args.queue} if args.queue else {}
    metadata = {**metadata, "name": run, "labels": {**metadata["labels"], **queue}}
    template = _template(name, run, args, metadata["labels"])
    if args.controller == "pod":
        return _pod(metadata, template, args)
    job = _job(metadata, template, args)
    if args.restart == "group":
        return jobset(annotated(metadata, of_jobset(args.wait_for, queued=args.queue is not None)), job, args.retries)
    return job


def _template(name: str, run: str, args: TrainingJobArgs, labels: Labels) -> Manifest:
    """The pods of a run. Their labels are those that do not change while it exists."""
    own = {key for key in args.labels if key != "app"} | {QUEUE_LABEL}
    env = [args.checkpoints.env(run)] if args.checkpoints else []
    if args.distributed == "torchrun":
        env += torchrun(
            name_of_job(run) if args.restart == "group" else run,
            service_name(name),
            workers=args.workers,
            at_least=args.at_least(),
            processes=args.gpus or 1,
            restarts=args.retries,
        )
    isolated = WORKERS if args.workers > 1 else {}
    pod = Pod(
        {**{key: value for key, value in labels.items() if key not in own}, **isolated, **_POD_LABELS},
        shared_memory=args.memory_for_sharing(),
        env=env,
        volumes={_CHECKPOINTS: args.checkpoints.volume()} if args.checkpoints else {},
        annotations=_POD_ANNOTATIONS,
        spec={
            "restartPolicy": "OnFailure" if args.controller == "pod" else "Never",
            **({"subdomain": service_name(name)} if args.workers > 1 else {}),
        },
    )
    return pod_template(name, args, pod)


def _pod(metadata: Manifest, template: Manifest, args: TrainingJobArgs) -> Manifest:
    metadata = {**metadata, "labels": {**template["metadata"]["labels"], **metadata["labels"]}}
    metadata = annotated(metadata, {**template["metadata"]["annotations"], **of_pod(args.wait_for)})
    deadline = {"activeDeadlineSeconds": args.deadline} if args.deadline else {}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {**template["spec"], **deadline}}


def _job(metadata: Manifest, template: Manifest, args: TrainingJobArgs) -> Manifest:
    wait = of_job(
        args.wait_for,
        queued=args.queue is not None,
        plain=args.workers == 1 and not args.fatal_exit_codes,
        restartable=args.previous_runs == "delete",
    )
    # No time to live after the end: a Job that is gone would be created, and trained, again.
    spec = {
        **_failures(args),
        **({"activeDeadlineSeconds": args.deadline} if args.deadline else {}),
        **(
            {"completions": args.workers, "parallelism": args.workers, "completionMode": "Indexed"}
            if args.workers > 1
            else {}
        ),
        "template": template,
    }
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": annotated(metadata, wait), "spec": spec}


def _failures(args: TrainingJobArgs) -> Manifest:
    """What a failed pod means for the Job."""
    fatal = {
        "action": "FailJob",
        "onExitCodes": {
            "containerName": args.main_container(),
            "operator": "In",
            "values": sorted(set(args.fatal_exit_codes)),
        },
    }
    # A pod that is evicted, preempted or lost with its node has not failed.
    disrupted = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    rules = [fatal] if args.fatal_exit_codes else []
    if args.restart == "group":
        # The operator counts the retries, of all together: the first pod that fails is the group's end.
        return {"backoffLimit": 0, **({"podFailurePolicy": {"rules": rules}} if rules else {})}
    policy = {"podFailurePolicy": {"rules": [*rules, disrupted]}}
    if args.workers == 1:
        return {"backoffLimit": args.retries, **policy}
    # Workers that need each other fail together, as soon as too few are left; others go on alone.
    lost = {"maxFailedIndexes": args.workers - args.at_least()} if args.distributed == "torchrun" else {}
    return {"backoffLimitPerIndex": args.retries, **lost, **policy}


class TrainingJob(pulumi.ComponentResource):
    """A training run in a team's namespace.

    Children: ``<name>-job``, or ``<name>-pod`` with the controller ``pod``, or ``<name>-jobset``
    with ``restart: group``; ``<name>-service-account``; for several workers ``<name>-service`` and
    ``<name>-network-policy``; ``<name>-runs`` where previous runs are kept.
    """

    job_name: pulumi.Output[str]
    """Name of the Job, JobSet or Pod."""

    namespace: pulumi.Output[str]
    """Namespace that it runs in."""

    selector: pulumi.Output[str]
    """Label selector of the run's pods, as ``kubectl get pods --selector`` takes it."""

    logs: pulumi.Output[str]
    """The command that follows the logs of all its pods."""

    def __init__(
        self, name: str, args: TrainingJobArgs | dict[str, Any], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = TrainingJobArgs.of(args)
        _check_name(name, args)
        objects = dict(manifests(name, args, args.tenant()))
        args.count_in(f"TrainingJob {name}", objects)
        role = run_role(args)
        inputs = {"run": run_of(objects[role]), "previousRuns": args.previous_runs}
        super().__init__(TYPE, name, inputs, guarded(name, opts))
        run = self._register(name, args, objects, role)
        if args.wait_for == "completion":
            run.status.apply(lambda status: ended_well(name, status))
        self.job_name = run.metadata.apply(lambda metadata: metadata["name"])
        self.namespace = run.metadata.apply(lambda metadata: metadata["namespace"])
        self.selector = pulumi.Output.from_input(_selector(name, args))
        self.logs = pulumi.Output.concat(
            "kubectl logs --namespace ", self.namespace, " --follow --prefix ",
            f"--max-log-requests {_most_pods(args)} --selector ", self.selector,
        )  # fmt: skip
        self.register_outputs(
            {"jobName": self.job_name, "namespace": self.namespace, "selector": self.selector, "logs": self.logs}
        )

    def _register(self, name: str, args: TrainingJobArgs, objects: dict[str, Manifest], role: str) -> KubernetesObject:
        """Register all children; returns the run."""
        starts = args.retries + 1 if args.restart == "group" else 1
        timeout = seconds(args.wait_for, args.timeout, args.deadline, starts)
        before: list[pulumi.Resource] = [*args.dependencies()]
        # The new run begins when the one before has given back its GPUs.
        option = pulumi.ResourceOptions(delete_before_replace=True)
        if args.restart == "group":
            before.append(Operator(f"{name}-{NEEDS_OPERATOR}", pulumi.ResourceOptions(parent=self)))
        if args.previous_runs == "keep":
            owner = register_all(self, name, {"runs": objects.pop("runs")}, depends_on=before)["runs"]
            objects[role] = owned(objects[role], owner.metadata)
            option = pulumi.ResourceOptions(retain_on_delete=True)
        return register_all(self, name, objects, depends_on=before, timeout=timeout, options={role: option})[role]


def _check_name(name: str, args: TrainingJobArgs) -> None:
    """Refuse a name from which Kubernetes could not make those of the objects and pods."""
    run = run_name(name, args.run_id)
    checked_name("TrainingJob", name, DnsLabel)
    checked_name("TrainingJob", run, DnsLabel)
    if args.workers > 1:
        checked_name("TrainingJob", service_name(name), ServiceName)
        checked_name("TrainingJob", _longest_host_name(run, args), DnsLabel)


def _longest_host_name(run: str, args: TrainingJobArgs) -> str:
    last = args.workers - 1
    # The operator wants room for the whole name of a pod, with its random end.
    return f"{name_of_job(run)}-{last}-abcde" if args.restart == "group" else f"{run}-{last}"


# Pods that were evicted or lost with their nodes, which no retry counts.
_DISRUPTED = 10


def _most_pods(args: TrainingJobArgs) -> int:
    """How many pods the run has in the end: those that failed stay beside those that took their places."""
    if args.controller == "pod":
        return 1
    # The operator deletes the pods of a group before it starts all of them again.
    return args.workers if args.restart == "group" else args.workers * (args.retries + 1) + _DISRUPTED


def _selector(name: str, args: TrainingJobArgs) -> str:
    """What selects the pods of the run, and of no other run."""
    run = run_name(name, args.run_id)
    if args.controller == "pod":
        return f"app={args.labels.get('app', name)}"
    return f"jobset.sigs.k8s.io/jobset-name={run}" if args.restart == "group" else f"batch.kubernetes.io/job-name={run}"
