"""The JobSet of a TrainingJob with ``restart: group``: when one worker fails, all of them are restarted together.

A Job replaces the failed pod only. If the other workers cannot continue without it, the whole group
must restart, which is what the JobSet operator does.
"""

import pulumi

from ..base.objects import Manifest

CRD = "jobsets.jobset.x-k8s.io"

OPERATOR_ROLE = "needs-jobset-operator"
"""The role of the child that reads the operator's CRD. If that fails, the child's name is what the user
sees beside "resource 'jobsets.jobset.x-k8s.io' does not exist"."""

_WORKERS = "workers"


def workers_job_name(run: str) -> str:
    """The name that the operator gives to the Job of a run's workers."""
    return f"{run}-{_WORKERS}-0"


def jobset(metadata: Manifest, job: Manifest, retries: int) -> Manifest:
    """A JobSet that wraps a Job. ``retries`` is the number of restarts of the whole group."""
    return {
        "apiVersion": "jobset.x-k8s.io/v1alpha2",
        "kind": "JobSet",
        "metadata": metadata,
        "spec": {
            # The workers have their own headless Service, as those of a Job do.
            "network": {"enableDNSHostnames": False},
            "failurePolicy": {
                "maxRestarts": retries,
                "rules": [
                    {
                        # After a fatal exit code or at the deadline, a restart would not help.
                        "name": "final",
                        "action": "FailJobSet",
                        "onJobFailureReasons": ["PodFailurePolicy", "DeadlineExceeded"],
                    }
                ],
            },
            "replicatedJobs": [{"name": _WORKERS, "replicas": 1, "template": {"spec": job["spec"]}}],
        },
    }


class JobSetOperator(pulumi.CustomResource):
    """The cluster's JobSet CRD, which is read so that a preview fails if the operator is not installed.

    A preview accepts objects of a kind that is not installed, and ``pulumi up`` would fail half-way.
    """

    def __init__(self, name: str, opts: pulumi.ResourceOptions) -> None:
        read = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=CRD))
        super().__init__("kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition", name, {}, read)
