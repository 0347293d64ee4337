"""The objects of a TrainingJob: a Job (default), a JobSet or a bare Pod, and its supporting objects."""

from ..base.labels import WORKER_NETWORK_LABEL, Labels, workload_labels
from ..base.objects import Manifest
from ..base.registration import Manifests, annotated
from ..team_namespace.args import Tenant
from ..workload.pod_template import PodExtras, pod_template, service_account
from .args import CHECKPOINTS_VOLUME, TrainingJobArgs
from .await_annotations import job_annotations, jobset_annotations, pod_annotations
from .immutability import run_name
from .jobset import jobset, workers_job_name
from .torchrun import service_name, torchrun_variables, worker_network

# Consolidation of nodes would save less than the run has cost.
_POD_ANNOTATIONS = {"karpenter.sh/do-not-disrupt": "true"}

# A sidecar keeps running after the training has finished, so that the Job would never complete.
_POD_LABELS = {"sidecar.istio.io/inject": "false"}

QUEUE_LABEL = "kueue.x-k8s.io/queue-name"


def manifests(name: str, args: TrainingJobArgs, tenant: Tenant) -> Manifests:
    """The objects of a TrainingJob by role; the run is the last one."""
    name = args.object_name(name)
    derived = {"team": tenant.team, "framework": args.framework, "experiment": args.experiment}
    labels = workload_labels(name, "training", args.labels, derived)
    metadata = annotated({"name": name, "namespace": tenant.namespace, "labels": labels}, args.annotations)
    objects: dict[str, Manifest] = dict(service_account(name, args, metadata))
    if args.previous_runs == "keep":
        # Owns the runs: Kubernetes deletes them all with it.
        runs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {**metadata, "name": f"{name}-runs"}}
        objects["runs"] = runs
    if args.workers > 1:
        objects |= worker_network(name, metadata, labels, open_egress=args.security.open_egress)
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
        annotations = jobset_annotations(args.wait_for, queued=args.queue is not None)
        return jobset(annotated(metadata, annotations), job, args.retries)
    return job


def _template(name: str, run: str, args: TrainingJobArgs, labels: Labels) -> Manifest:
    """The pod template of a run, with those labels only that are immutable during the run."""
    mutable = {key for key in args.labels if key != "app"} | {QUEUE_LABEL}
    env = [args.checkpoints.env(run)] if args.checkpoints else []
    if args.distributed == "torchrun":
        env += torchrun_variables(
            workers_job_name(run) if args.restart == "group" else run,
            service_name(name),
            workers=args.workers,
            min_workers=args.effective_min_workers(),
            processes=args.gpus or 1,
            restarts=args.retries,
        )
    isolated = WORKER_NETWORK_LABEL if args.workers > 1 else {}
    pod = PodExtras(
        {**{key: value for key, value in labels.items() if key not in mutable}, **isolated, **_POD_LABELS},
        shared_memory=args.memory_for_sharing(),
        env=env,
        volumes={CHECKPOINTS_VOLUME: args.checkpoints.volume()} if args.checkpoints else {},
        annotations=_POD_ANNOTATIONS,
        spec={
            "restartPolicy": "OnFailure" if args.controller == "pod" else "Never",
            **({"subdomain": service_name(name)} if args.workers > 1 else {}),
        },
    )
    return pod_template(name, args, pod)


def _pod(metadata: Manifest, template: Manifest, args: TrainingJobArgs) -> Manifest:
    metadata = {**metadata, "labels": {**template["metadata"]["labels"], **metadata["labels"]}}
    metadata = annotated(metadata, {**template["metadata"]["annotations"], **pod_annotations(args.wait_for)})
    deadline = {"activeDeadlineSeconds": args.deadline_seconds} if args.deadline_seconds else {}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {**template["spec"], **deadline}}


def _job(metadata: Manifest, template: Manifest, args: TrainingJobArgs) -> Manifest:
    annotations = job_annotations(
        args.wait_for,
        queued=args.queue is not None,
        plain=args.workers == 1 and not args.fatal_exit_codes,
        restartable=args.previous_runs == "delete",
    )
    # No ttlSecondsAfterFinished: Pulumi would create a Job that is gone again, and repeat the training.
    spec = {
        **_failures(args),
        **({"activeDeadlineSeconds": args.deadline_seconds} if args.deadline_seconds else {}),
        **(
            {"completions": args.workers, "parallelism": args.workers, "completionMode": "Indexed"}
            if args.workers > 1
            else {}
        ),
        "template": template,
    }
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": annotated(metadata, annotations), "spec": spec}


def _failures(args: TrainingJobArgs) -> Manifest:
    """The Job's backoff limits and pod failure policy."""
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
        # The JobSet operator counts the retries of the group, which fails with its first pod.
        return {"backoffLimit": 0, **({"podFailurePolicy": {"rules": rules}} if rules else {})}
    policy = {"podFailurePolicy": {"rules": [*rules, disrupted]}}
    if args.workers == 1:
        return {"backoffLimit": args.retries, **policy}
    # The workers of torchrun fail together, as soon as too few are left; others continue separately.
    lost = {"maxFailedIndexes": args.workers - args.effective_min_workers()} if args.distributed == "torchrun" else {}
    return {"backoffLimitPerIndex": args.retries, **lost, **policy}
