"""Arguments of a TrainingJob: which are invalid, and what a change of each does."""

from typing import Any

import pytest

from components import TrainingJobArgs
from components.base.arguments import MUTABILITY
from components.training_job.manifests import manifests
from components.workload.object_args import ObjectArgs
from tests.argument_models import nested
from tests.mutability import documented, effects, mismatches
from tests.problems import errors, problems
from tests.trainings import BASE, OPTIONS, arguments, container, pod_spec
from tests.workloads import named

TORCHRUN: dict[str, Any] = {"workers": 8, "distributed": "torchrun"}
CLAIM = {"path": "/data", "claim": "data"}
STAGE = {"name": "stage", "resources": {"requests": {"cpu": 1}}}
EFFECTS = effects(TrainingJobArgs, BASE, OPTIONS, lambda args: manifests("bert", args, args.tenant()))


def test_every_argument_is_among_the_options() -> None:
    # team and namespace are the tenant; timeout_seconds is for Pulumi only; ObjectArgs have tests of their own.
    assert named(OPTIONS) == set(TrainingJobArgs.model_fields) - {
        "team",
        "namespace",
        "timeout_seconds",
        *ObjectArgs.model_fields,
    }


@pytest.mark.parametrize("model", nested(TrainingJobArgs))
def test_every_docstring_ends_with_the_effect_of_a_change(model: Any) -> None:
    assert {documented(model, name)[0] for name in model.model_fields} <= set(MUTABILITY)


def test_docstrings_state_the_effects_that_changes_have() -> None:
    unchanged = [(model, name) for model in nested(TrainingJobArgs) for name in model.model_fields]
    assert [argument for argument in unchanged if argument not in EFFECTS] == [(TrainingJobArgs, "team")]
    assert mismatches(EFFECTS, "components", job=True) == []


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"workers": 2, "controller": "pod"}, "requires", "workers"),
        ({"fatal_exit_codes": [2], "controller": "pod"}, "requires", "fatal_exit_codes"),
        ({"queue": "q", "controller": "pod"}, "requires", "queue"),
        ({"previous_runs": "keep", "controller": "pod"}, "requires", "previous_runs"),
        ({"distributed": "torchrun"}, "requires", "distributed"),
        ({"restart": "group"}, "requires", "restart"),
        ({"min_workers": 2, "workers": 4}, "requires", "min_workers"),
        ({**TORCHRUN, "min_workers": 9}, "exceeds", "min_workers"),
        ({"workers": 0}, "out-of-range", "workers"),
        ({"workers": 100_001}, "out-of-range", "workers"),
        ({"retries": True}, "wrong-type", "retries"),
        ({"controller": "cron"}, "not-one-of", "controller"),
        ({"workers": 2, "volumes": {"d": CLAIM}}, "single-node-volume", "volumes.d.access_mode"),
        ({"workers": 2, "checkpoints": {"claim": "c"}}, "single-node-volume", "checkpoints.access_mode"),
        ({"fatal_exit_codes": [0]}, "out-of-range", "fatal_exit_codes[0]"),
        ({"fatal_exit_codes": [256]}, "out-of-range", "fatal_exit_codes[0]"),
        ({"queue": "q", "wait_for": "completion"}, "mutually-exclusive", "wait_for"),
        ({**TORCHRUN, "env": {"PET_NNODES": "2"}}, "managed", "env.PET_NNODES"),
        ({"checkpoints": {"claim": "c"}, "env": {"CHECKPOINT_DIR": "/"}}, "managed", "env.CHECKPOINT_DIR"),
        (
            {**TORCHRUN, "init_containers": [{**STAGE, "env": {"PET_NNODES": "2"}}]},
            "managed",
            "init_containers[0].env.PET_NNODES",
        ),
        (
            {"checkpoints": {"claim": "c"}, "init_containers": [{**STAGE, "env": {"CHECKPOINT_DIR": "/"}}]},
            "managed",
            "init_containers[0].env.CHECKPOINT_DIR",
        ),
        ({"checkpoints": {"claim": "c", "path": "/tmp/"}}, "mount-path-taken", "checkpoints.path"),
        ({"checkpoints": {"claim": "c", "path": "/tmp"}}, "mount-path-taken", "checkpoints.path"),
        (
            {"checkpoints": {"claim": "c", "path": "/data"}, "volumes": {"d": CLAIM}},
            "mount-path-taken",
            "checkpoints.path",
        ),
        ({"checkpoints": {"claim": "c"}, "volumes": {"checkpoints": CLAIM}}, "name-taken", "volumes.checkpoints"),
        ({"checkpoints": {"claim": "c", "directory": "/a"}}, "invalid", "checkpoints.directory"),
        ({"checkpoints": {}}, "required", "checkpoints.claim"),
        ({"run_id": "Run 2"}, "name-invalid", "run_id"),
    ],
)
def test_invalid_arguments(given: dict[str, Any], code: str, path: str) -> None:
    assert errors(lambda: arguments(**given)) == [(code, path)]


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ({**TORCHRUN, "min_workers": 9}, 8),
        ({"queue": "q", "wait_for": "completion"}, "start"),
        ({"workers": 2, "volumes": {"d": CLAIM}}, "ReadWriteMany"),
    ],
)
def test_a_problem_with_a_valid_value_gives_it_besides_a_fix(given: dict[str, Any], value: Any) -> None:
    (problem,) = problems(lambda: arguments(**given))
    assert problem.value == value
    assert problem.fix


def test_all_problems_are_reported_together() -> None:
    given = {"image": None, "distributed": "torchrun", "checkpoints": {"claim": "c", "path": "/tmp"}}
    assert errors(lambda: arguments(**given)) == [
        ("image-missing", "image"),
        ("requires", "distributed"),
        ("mount-path-taken", "checkpoints.path"),
    ]


def test_resources_default_to_those_of_the_component_if_none_are_set() -> None:
    assert container()["resources"] == {
        "requests": {"cpu": "4", "memory": "8Gi"},
        "limits": {"cpu": "8", "memory": "16Gi"},
    }


def test_shared_memory_defaults_to_half_of_the_memory_limit() -> None:
    volumes = pod_spec(resources={"limits": {"memory": "4Gi"}})["volumes"]
    assert {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "2048Mi"}} in volumes
    assert {"name": "shm", "mountPath": "/dev/shm"} in container()["volumeMounts"]


def test_a_memory_limit_below_two_mebibytes_leaves_no_shared_memory() -> None:
    assert [volume["name"] for volume in pod_spec(resources={"limits": {"memory": "512"}})["volumes"]] == ["tmp"]
