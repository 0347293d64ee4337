"""TrainingJob: a training run, as a Job (default), a JobSet, or a single Pod."""

from typing import Any

import pulumi

from ..base.arguments import checked_name
from ..base.names import DnsLabel, ServiceName
from ..base.objects import Manifest
from ..base.registration import KubernetesObject, register_all
from .args import TrainingJobArgs
from .await_annotations import ended_well, seconds
from .immutability import guarded, owned, run_name, run_of
from .jobset import NEEDS_OPERATOR, Operator, name_of_job
from .manifests import manifests, run_role
from .torchrun import service_name

TYPE = "ml-platform:index:TrainingJob"


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
        args.reserve_quota(f"TrainingJob {name}", objects)
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
        timeout = seconds(args.wait_for, args.timeout_seconds, args.deadline_seconds, starts)
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
