"""TrainingJob: a training run, as a Job (default), a JobSet or a bare Pod."""

from typing import Any

import pulumi

from ..base.arguments import checked_name
from ..base.names import DnsLabel, ServiceName
from ..base.objects import Manifest
from ..base.program import tracked
from ..base.registration import KubernetesObject, register_all
from .args import TrainingJobArgs
from .await_annotations import check_succeeded, wait_seconds
from .immutability import immutable_part, run_name, with_immutability_hook, with_owner
from .jobset import OPERATOR_ROLE, JobSetOperator, workers_job_name
from .manifests import manifests, run_role
from .torchrun import service_name

TYPE = "ml-platform:index:TrainingJob"


class TrainingJob(pulumi.ComponentResource):
    """A training run in a team's namespace.

    Children: ``<name>-job``, or ``<name>-pod`` with ``controller: pod``, or ``<name>-jobset`` with
    ``restart: group``; ``<name>-service-account``; with several workers ``<name>-service`` and
    ``<name>-network-policy``; with ``previous_runs: keep`` ``<name>-runs``.
    """

    job_name: pulumi.Output[str]
    """Name of the Job, JobSet or Pod."""

    namespace: pulumi.Output[str]
    """Namespace of the run."""

    selector: pulumi.Output[str]
    """Label selector of the run's pods, for ``kubectl get pods --selector``."""

    logs: pulumi.Output[str]
    """The command that follows the logs of all pods of the run."""

    def __init__(
        self, name: str, args: TrainingJobArgs | dict[str, Any], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = TrainingJobArgs.of(args)
        _check_name(args.object_name(name), args)
        objects = dict(manifests(name, args, args.tenant()))
        args.reserve_quota(f"TrainingJob {name}", objects)
        role = run_role(args)
        inputs = {"run": immutable_part(objects[role]), "previousRuns": args.previous_runs}
        opts = tracked("TrainingJob", name, args.object_name(name), args, with_immutability_hook(name, opts))
        super().__init__(TYPE, name, inputs, opts)
        run = self._register(name, args, objects, role)
        if args.wait_for == "completion":
            run.status.apply(lambda status: check_succeeded(name, status))
        self.job_name = run.metadata.apply(lambda metadata: metadata["name"])
        self.namespace = run.metadata.apply(lambda metadata: metadata["namespace"])
        self.selector = pulumi.Output.from_input(_selector(args.object_name(name), args))
        self.logs = pulumi.Output.concat(
            "kubectl logs --namespace ", self.namespace, " --follow --prefix ",
            f"--max-log-requests {_max_pods(args)} --selector ", self.selector,
        )  # fmt: skip
        self.register_outputs(
            {"jobName": self.job_name, "namespace": self.namespace, "selector": self.selector, "logs": self.logs}
        )

    def _register(self, name: str, args: TrainingJobArgs, objects: dict[str, Manifest], role: str) -> KubernetesObject:
        """Register all children, and return the run."""
        starts = args.retries + 1 if args.restart == "group" else 1
        timeout = wait_seconds(args.wait_for, args.timeout_seconds, args.deadline_seconds, starts)
        depends_on: list[pulumi.Resource] = [*args.dependencies()]
        # The new run starts when the previous one has released its GPUs.
        options = pulumi.ResourceOptions(delete_before_replace=True)
        if args.restart == "group":
            depends_on.append(JobSetOperator(f"{name}-{OPERATOR_ROLE}", pulumi.ResourceOptions(parent=self)))
        if args.previous_runs == "keep":
            runs = {"runs": objects.pop("runs")}
            owner = register_all(self, name, runs, depends_on=depends_on, adopted=runs if args.adopt else ())["runs"]
            objects[role] = with_owner(objects[role], owner.metadata)
            options = pulumi.ResourceOptions(retain_on_delete=True)
        return register_all(
            self,
            name,
            objects,
            depends_on=depends_on,
            timeout=timeout,
            options={role: options},
            adopted=objects if args.adopt else (),
        )[role]


def _check_name(name: str, args: TrainingJobArgs) -> None:
    """Raise ArgumentError if the name is invalid, or too long for the names that are derived from it."""
    run = run_name(name, args.run_id)
    checked_name("TrainingJob", name, DnsLabel)
    checked_name("TrainingJob", run, DnsLabel)
    if args.workers > 1:
        checked_name("TrainingJob", service_name(name), ServiceName)
        checked_name("TrainingJob", _longest_host_name(run, args), DnsLabel)


def _longest_host_name(run: str, args: TrainingJobArgs) -> str:
    last = args.workers - 1
    # The JobSet operator requires room for the full name of a pod, with its random suffix.
    return f"{workers_job_name(run)}-{last}-abcde" if args.restart == "group" else f"{run}-{last}"


# Allowance for pods that were evicted or lost with their nodes, which do not count as retries.
_DISRUPTED_PODS = 10


def _max_pods(args: TrainingJobArgs) -> int:
    """The number of pods that a run can have: failed ones remain beside their replacements."""
    if args.controller == "pod":
        return 1
    # The JobSet operator deletes the pods of a group before it restarts them.
    return args.workers if args.restart == "group" else args.workers * (args.retries + 1) + _DISRUPTED_PODS


def _selector(name: str, args: TrainingJobArgs) -> str:
    """The label selector of the pods of this run only."""
    run = run_name(name, args.run_id)
    if args.controller == "pod":
        return f"app={args.labels.get('app', name)}"
    return f"jobset.sigs.k8s.io/jobset-name={run}" if args.restart == "group" else f"batch.kubernetes.io/job-name={run}"
