"""The reference from a workload to its team: an object in Python, a name in a stack's configuration."""

from typing import Any

import pytest

from components import TeamNamespace, TrainingJobArgs
from config import StackSettings
from tests.mocks import deploy
from tests.problems import errors
from tests.stacks import problems


def test_python_passes_the_team_itself() -> None:
    found: list[Any] = []

    def program() -> None:
        team = TeamNamespace("nlp", {})
        found.append(TrainingJobArgs(team=team, image="a:b").team is team)

    deploy(program)
    assert found == [True]


@pytest.mark.parametrize(("team", "code"), [("nlp", "reference-by-name"), (3, "wrong-type"), ({}, "wrong-type")])
def test_python_passes_nothing_else(team: Any, code: str) -> None:
    assert errors(lambda: TrainingJobArgs(team=team, image="a:b")) == [(code, "team")]


def test_a_stack_refers_to_a_team_by_its_name() -> None:
    job = {"image": "a:b"}
    stack = StackSettings.parse({"teams": {"nlp": {}}, "trainingJobs": {"bert": {**job, "team": "nlp"}}})
    assert stack.training_jobs["bert"].team == "nlp"
    (problem,) = problems({"teams": {"nlp": {}}, "trainingJobs": {"bert": {**job, "team": "nlq"}}})
    assert (problem.code, problem.property_path(), problem.value) == ("not-found", "trainingJobs.bert.team", "nlp")
    (problem,) = problems({"teams": {"nlp": {}}, "trainingJobs": {"bert": {**job, "team": ["nlp"]}}})
    assert (problem.code, problem.property_path()) == ("wrong-type", "trainingJobs.bert.team")
