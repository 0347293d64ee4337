"""Arguments of a ModelService: which are invalid, what follows from others, and what a change of each does."""

from typing import Any

import pytest

from components import ModelServiceArgs
from components.base.arguments import MUTABILITY
from components.model_service.manifests import manifests
from components.model_service.probes import Probe
from components.workload.object_args import ObjectArgs
from tests.argument_models import nested
from tests.model_services import BASE, CANARY, OPTIONS, arguments, container
from tests.mutability import documented, effects, mismatches
from tests.problems import errors, problems
from tests.workloads import GPU_POOL, named

ELSEWHERE = {"type": "ExternalName", "external_name": "models.example.com"}
ONE_NODE = {"source": {"claim": "bert"}}
EFFECTS = effects(ModelServiceArgs, BASE, OPTIONS, lambda args: manifests("bert", args, args.tenant()))


def test_every_argument_is_among_the_options() -> None:
    # team and namespace are the tenant; timeout_seconds is for Pulumi only; ObjectArgs have tests of their own.
    assert named(OPTIONS) == set(ModelServiceArgs.model_fields) - {
        "team",
        "namespace",
        "timeout_seconds",
        *ObjectArgs.model_fields,
    }


@pytest.mark.parametrize("model", nested(ModelServiceArgs))
def test_every_docstring_ends_with_the_effect_of_a_change(model: Any) -> None:
    assert {documented(model, name)[0] for name in model.model_fields} <= set(MUTABILITY)


def test_docstrings_state_the_effects_that_changes_have() -> None:
    unchanged = {(model, name) for model in nested(ModelServiceArgs) for name in model.model_fields} - EFFECTS.keys()
    # A team is an object, and a probe by tcp or grpc has no other value than true.
    assert unchanged == {(ModelServiceArgs, "team"), (Probe, "tcp"), (Probe, "grpc")}
    assert mismatches(EFFECTS, "components", job=False) == []


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"replicas": 0}, "out-of-range", "replicas"),
        ({"replicas": "3"}, "wrong-type", "replicas"),
        ({"replicas": 2.5}, "wrong-type", "replicas"),
        ({"replicas": 10**10}, "out-of-range", "replicas"),
        ({"port": 70000}, "out-of-range", "port"),
        ({"startup_budget_seconds": 10**12}, "out-of-range", "startup_budget_seconds"),
        ({"version": "v 1"}, "name-invalid", "version"),
        ({"image": "Server:v1"}, "image-invalid", "image"),
        ({"image": "https://hub/server:v1"}, "image-invalid", "image"),
        ({"rollout": "recreate"}, "not-one-of", "rollout"),
        ({"service": ELSEWHERE}, "mutually-exclusive", "image"),
        ({"service": ELSEWHERE, "image": None, "replicas": 2}, "mutually-exclusive", "replicas"),
        ({"service": ELSEWHERE, "image": None, "gpus": 1}, "mutually-exclusive", "gpus"),
        ({"replicas": 2, "autoscale": {"max": 3, "cpu": 70}}, "mutually-exclusive", "replicas"),
        (
            {"autoscale": {"max": 3, "cpu": 70}, "resources": {"requests": {"memory": "1Gi"}}},
            "requires",
            "autoscale.cpu",
        ),
        ({"model": ONE_NODE, "replicas": 2}, "single-node-volume", "model.source.access_mode"),
        ({"model": ONE_NODE, "autoscale": {"max": 2, "cpu": 70}}, "single-node-volume", "model.source.access_mode"),
        ({"model": ONE_NODE, "rollout": "surge"}, "single-node-volume", "model.source.access_mode"),
        ({"model": ONE_NODE, "canary": CANARY}, "single-node-volume", "model.source.access_mode"),
        (
            {"volumes": {"cache": {"path": "/cache", "claim": "cache"}}, "replicas": 2},
            "single-node-volume",
            "volumes.cache.access_mode",
        ),
        (
            {"init_containers": [{"name": "server", "resources": {"requests": {"cpu": 1}}}]},
            "name-taken",
            "init_containers[0].name",
        ),
    ],
)
def test_invalid_arguments(given: dict[str, Any], code: str, path: str) -> None:
    assert errors(lambda: arguments(**given)) == [(code, path)]


@pytest.mark.parametrize(
    ("given", "fix"),
    [
        ({"model": ONE_NODE, "replicas": 2}, "replicas"),
        ({"model": ONE_NODE, "autoscale": {"max": 2, "cpu": 70}}, "autoscale.max"),
        ({"model": ONE_NODE, "rollout": "surge"}, "rollout: replace"),
        ({"model": ONE_NODE, "canary": CANARY}, "canary"),
    ],
)
def test_the_fix_for_a_volume_of_one_node_names_what_needs_several(given: dict[str, Any], fix: str) -> None:
    (problem,) = problems(lambda: arguments(**given))
    assert problem.fix
    assert fix in problem.fix
    assert "accessMode" in problem.fix


def test_all_problems_are_reported_together() -> None:
    given: dict[str, Any] = {"replicas": 2, "autoscale": {"max": 3, "cpu": 70}}
    canary = {**CANARY, "weight": 0}
    assert errors(lambda: arguments(**given, model=ONE_NODE, canary=canary)) == [
        ("out-of-range", "canary.weight"),
        ("mutually-exclusive", "canary"),
        ("mutually-exclusive", "replicas"),
        ("single-node-volume", "model.source.access_mode"),
        ("single-node-volume", "model.source.access_mode"),
    ]
    volumes = {"tmp": {"path": "/d", "claim": "c"}}
    found = errors(lambda: arguments(image=None, **given, volumes=volumes))
    assert {path for _, path in found} >= {"image", "volumes.tmp", "replicas"}


def test_resources_default_to_those_of_the_component_if_none_are_set() -> None:
    assert container()["resources"] == {
        "requests": {"cpu": "2", "memory": "4Gi"},
        "limits": {"cpu": "4", "memory": "8Gi"},
    }


@pytest.mark.parametrize(
    ("given", "rollout"),
    [
        ({}, "surge"),
        ({"node_pool": GPU_POOL}, "surge"),
        ({"node_pool": GPU_POOL, "gpus": 1}, "replace"),
        ({"node_pool": GPU_POOL, "gpus": 1, "rollout": "surge"}, "surge"),
        ({"rollout": "replace"}, "replace"),
        ({"model": ONE_NODE}, "replace"),
        ({"volumes": {"cache": {"path": "/cache", "claim": "cache"}}}, "replace"),
        ({"model": {"source": {"claim": "bert", "access_mode": "ReadOnlyMany"}}}, "surge"),
    ],
)
def test_the_rollout_defaults_to_the_one_that_makes_progress(given: dict[str, Any], rollout: str) -> None:
    assert arguments(**given).effective_rollout() == rollout


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ({}, 120),
        ({"replicas": 3}, 3 * 120),  # one more pod at a time
        ({"replicas": 8}, 4 * 120),  # two more pods at a time
        ({"replicas": 8, "rollout": "replace"}, 8 * 120),
        ({"autoscale": {"max": 3, "cpu": 70}}, 3 * 120),
        ({"replicas": 3, "timeout_seconds": 50}, 50),
    ],
)
def test_a_rollout_is_awaited_for_the_startup_budget_of_each_step(given: dict[str, Any], seconds: int) -> None:
    args = arguments(startup_budget_seconds=120, **given)
    assert args.rollout_wait_seconds(args.max_replicas()) == seconds


def test_a_wait_has_at_most_as_many_seconds_as_kubernetes_accepts() -> None:
    args = arguments(replicas=2**31 - 1, rollout="replace")
    assert args.rollout_wait_seconds(args.max_replicas()) == 2**31 - 1


@pytest.mark.parametrize(
    ("given", "bounds"),
    [({}, (1, 1)), ({"replicas": 3}, (3, 3)), ({"autoscale": {"min": 2, "max": 6, "cpu": 70}}, (2, 6))],
)
def test_the_bounds_of_the_number_of_pods(given: dict[str, Any], bounds: tuple[int, int]) -> None:
    args = arguments(**given)
    assert (args.min_replicas(), args.max_replicas()) == bounds
