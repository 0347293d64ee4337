"""TrainingJobs to test: called bert, in the namespace lab."""

from typing import Any

from components import TrainingJobArgs
from components.training_job.manifests import manifests
from tests import workloads

_TORCHRUN: dict[str, Any] = {"workers": 4, "distributed": "torchrun"}

OPTIONS: dict[str, dict[str, Any]] = {
    **workloads.OPTIONS,
    # Of an account that is there: the API server looks it up.
    "a bare pod": {"controller": "pod", "service_account": "default"},
    "a bare pod with a deadline": {
        "controller": "pod",
        "deadline_seconds": 3600,
        "annotations": {"example.com/note": "a note"},
        "service_account": "default",
    },
    "waiting for the end": {"wait_for": "completion"},
    "waiting for nothing": {"wait_for": "none"},
    "workers by themselves": {"workers": 4},
    "torchrun": _TORCHRUN,
    "an elastic run": {**_TORCHRUN, "min_workers": 2, "retries": 2},
    "workers that call any address": {**_TORCHRUN, "security": {"open_egress": True}},
    "a group": {**_TORCHRUN, "restart": "group"},
    "a group with a deadline": {**_TORCHRUN, "restart": "group", "deadline_seconds": 3600},
    "fatal exit codes": {"fatal_exit_codes": [3, 4]},
    "retries and a deadline": {"retries": 3, "deadline_seconds": 3600},
    "a queue": {"queue": "gpus"},
    "another run": {"run_id": "2"},
    "runs that are kept": {"previous_runs": "keep"},
    "what it is": {"framework": "pytorch", "experiment": "lr"},
    "checkpoints": {"checkpoints": {"claim": "runs", "access_mode": "ReadWriteMany", "path": "/mnt", "directory": "a"}},
}
"""What the option is → arguments."""

CUSTOM = {"JobSet"}
"""Kinds that the API server only knows where somebody has installed them."""


def arguments(**given: Any) -> TrainingJobArgs:
    return TrainingJobArgs(**{"namespace": "lab", "image": "trainer:v1", **given})


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
    """The plain variables of the main container."""
    return {variable["name"]: variable.get("value") for variable in container(**given).get("env", [])}
