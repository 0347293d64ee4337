"""The JobSet form of a training job: where one worker fails, all of them start again together.

A Job replaces the pod that failed, and leaves the others as they are. Where these cannot go on
without it, the whole group has to begin anew, which is what the JobSet operator does.
"""

import pulumi

from ..base.objects import Manifest

CRD = "jobsets.jobset.x-k8s.io"
WORKERS = "workers"

# The role of the child that reads the operator's kind. Where it fails, this name is what a user
# reads beside "resource 'jobsets.jobset.x-k8s.io' does not exist".
NEEDS_OPERATOR = "needs-jobset-operator"


def name_of_job(run: str) -> str:
    """The name that the operator gives the Job of the workers."""
    return f"{run}-{WORKERS}-0"


def jobset(metadata: Manifest, job: Manifest, retries: int) -> Manifest:
    """A JobSet of one Job, in place of that Job."""
    return {
        "apiVersion": "jobset.x-k8s.io/v1alpha2",
        "kind": "JobSet",
        "metadata": metadata,
        "spec": {
            # The workers' own headless Service is there, as it is for a Job.
            "network": {"enableDNSHostnames": False},
            "failurePolicy": {
                "maxRestarts": retries,
                "rules": [
                    {
                        # A fatal exit code, or no time left: another try would be no better.
                        "name": "final",
                        "action": "FailJobSet",
                        "onJobFailureReasons": ["PodFailurePolicy", "DeadlineExceeded"],
                    }
                ],
            },
            "replicatedJobs": [{"name": WORKERS, "replicas": 1, "template": {"spec": job["spec"]}}],
        },
    }


class Operator(pulumi.CustomResource):
    """The JobSet operator as a cluster has it: its kind is read, so that a preview fails without it.

    A preview takes an object of a kind that the cluster does not know as it is, and `up` would fail
    half-way.
    """

    def __init__(self, name: str, opts: pulumi.ResourceOptions) -> None:
        read = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=CRD))
        super().__init__("kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition", name, {}, read)
