"""Conflicts between the workloads of a stack."""

from typing import Any

import pytest

from tests.broken import prod
from tests.stacks import problems


def _canary_and(team: str, route: Any) -> dict[str, Any]:
    """A service with a canary, and a service of a team with the canary's name."""
    canary = {"image": "a:c", "weight": 10}
    return {
        "a": {"team": "ml-serving", "image": "a:b", "canary": canary, "route": route},
        "a-canary": {"team": team, "image": "a:b"},
    }


@pytest.mark.parametrize("route", [None, {"gateway": "public"}])
def test_a_conflict_with_a_canary_is_reported_once(route: Any) -> None:
    stack = prod()
    stack["modelServices"] = _canary_and("ml-serving", route)
    (problem,) = problems(stack)
    assert (problem.code, problem.property_path()) == ("object-conflict", "modelServices.a.canary")


def test_objects_in_different_namespaces_do_not_conflict() -> None:
    stack = prod()
    stack["modelServices"] = _canary_and("ml-experiments", {"gateway": "public"})
    stack["trainingJobs"] = {"a": {"team": "ml-training", "image": "a:b"}}
    assert problems(stack) == []


def test_runs_of_different_kinds_conflict_by_name() -> None:
    stack = prod()
    job = {"team": "ml-training", "image": "a:b"}
    stack["trainingJobs"] = {"a": {**job, "runId": "2"}, "a-2": {**job, "controller": "pod"}}
    (problem,) = problems(stack)
    assert (problem.code, problem.property_path()) == ("object-conflict", "trainingJobs.a-2.runId")


def test_a_job_and_a_service_of_one_name_are_reported_without_the_conflicts_of_their_objects() -> None:
    stack = prod()
    stack["trainingJobs"] = {"a": {"team": "ml-training", "image": "a:b", "workers": 2}}
    stack["modelServices"] = {"a": {"team": "ml-training", "image": "a:b"}}
    (problem,) = problems(stack)
    assert (problem.code, problem.property_path(), problem.key) == ("name-taken", "modelServices.a", "a-service")
