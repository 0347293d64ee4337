"""TrainingJobs to test: called bert, in the namespace lab."""

from typing import Any

from components import TrainingJobArgs
from components.training_job import manifests


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
