"""TrainingJobs for tests, with the name bert in the namespace lab."""

from typing import Any

from components import TrainingJobArgs
from components.training_job.manifests import manifests
from tests import workloads

_TORCHRUN: dict[str, Any] = {"workers": 4, "distributed": "torchrun"}

BASE = {"namespace": "lab", "image": "trainer:v1"}

OPTIONS: dict[str, dict[str, Any]] = {
    **workloads.OPTIONS,
    # The API server rejects a Pod whose ServiceAccount does not exist.
    "a bare pod": {"controller": "pod", "service_account": "default"},
    "a bare pod with a deadline": {
        "controller": "pod",
        "deadline_seconds": 3600,
        "annotations": {"example.com/note": "a note"},
        "service_account": "default",
    },
    "wait for completion": {"wait_for": "completion"},
    "wait for nothing": {"wait_for": "none"},
    "workers": {"workers": 4},
    "torchrun": _TORCHRUN,
    "an elastic run": {**_TORCHRUN, "min_workers": 2, "retries": 2},
    "workers with open egress": {**_TORCHRUN, "security": {"open_egress": True}},
    "a group": {**_TORCHRUN, "restart": "group"},
    "a group with a deadline": {**_TORCHRUN, "restart": "group", "deadline_seconds": 3600},
    "fatal exit codes": {"fatal_exit_codes": [3, 4]},
    "retries and a deadline": {"retries": 3, "deadline_seconds": 3600},
    "a queue": {"queue": "gpus"},
    "another run": {"run_id": "2"},
    "previous runs that are kept": {"previous_runs": "keep"},
    "framework and experiment": {"framework": "pytorch", "experiment": "lr"},
    "checkpoints": {"checkpoints": {"claim": "runs", "access_mode": "ReadWriteMany", "path": "/mnt", "directory": "a"}},
}
"""Options by name, and their arguments."""

CUSTOM = {"JobSet"}
"""Kinds whose CustomResourceDefinition a cluster may not have."""


def arguments(**given: Any) -> TrainingJobArgs:
    return TrainingJobArgs(**{**BASE, **given})


def objects(**given: Any) -> dict[str, dict[str, Any]]:
    """The objects by role."""
    args = arguments(**given)
    return dict(manifests("bert", args, args.tenant()))


def job(**given: Any) -> dict[str, Any]:
    return objects(**given)["job"]


def pod_spec(**given: Any) -> dict[str, Any]:
    spec: dict[str, Any] = job(**given)["spec"]["template"]["spec"]
    return spec


def container(**given: Any) -> dict[str, Any]:
    main: dict[str, Any] = pod_spec(**given)["containers"][0]
    return main


def env(**given: Any) -> dict[str, Any]:
    """The environment variables of the main container with plain values."""
    return {variable["name"]: variable.get("value") for variable in container(**given).get("env", [])}
