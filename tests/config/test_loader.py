"""The loader: the same settings and the same errors from a stack's file and from the engine."""

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from config import StackError, load, load_file
from tests.broken import BROKEN, PROJECT, prod
from tests.mocks import deploy
from tests.stacks import problems, stack_error, through_engine, through_file, write


@pytest.mark.parametrize("broken", BROKEN)
def test_an_invalid_stack_is_rejected_with_the_code_the_path_and_the_fix(broken: str, tmp_path: Path) -> None:
    expected = BROKEN[broken]
    settings = expected.settings()
    from_file = stack_error(lambda: through_file(settings, tmp_path))
    from_engine = stack_error(lambda: through_engine(settings))
    assert len(from_file.problems) == expected.problems
    found = {(problem.code, problem.property_path()): problem for problem in from_file.problems}
    problem = found[expected.code, expected.path]
    assert (problem.value, problem.key) == (expected.value, expected.key)
    assert str(from_engine) == str(from_file)
    assert set(from_engine.problems) == set(from_file.problems)


@pytest.mark.parametrize("broken", BROKEN)
def test_the_text_of_an_error_has_the_path_the_code_and_the_command_that_sets_the_value(
    broken: str, tmp_path: Path
) -> None:
    expected = BROKEN[broken]
    lines = str(stack_error(lambda: through_file(expected.settings(), tmp_path))).splitlines()
    first = next(
        index
        for index, line in enumerate(lines)
        if line.startswith(f"Pulumi.prod.yaml: ml-platform:{expected.path}: ") and line.endswith(f" [{expected.code}]")
    )
    advice = [line for line in lines[first + 1 : first + 3] if line.startswith("  ")]
    commands = [line for line in advice if line.startswith("  pulumi ")]
    assert advice
    assert len(commands) == (expected.value is not None)
    for command in commands:
        assert command.startswith("  pulumi config set --path ")
        assert command.endswith(" --stack prod")
        assert f"ml-platform:{expected.path}" in command
    assert ("rename it to" in advice[0]) == (expected.key is not None)


def test_all_problems_are_reported_together(tmp_path: Path) -> None:
    settings = prod()
    names = ("no replicas", "an unknown team", "an unknown preset", "a key that resembles no other")
    for name in names:
        BROKEN[name].edit(settings)
    settings["modelService"] = {}
    error = stack_error(lambda: through_file(settings, tmp_path))
    expected = {(BROKEN[name].code, BROKEN[name].path) for name in names} | {("unknown-key", "modelService")}
    assert {(problem.code, problem.property_path()) for problem in error.problems} == expected
    assert str(error).startswith("5 problems in the configuration of stack prod\n")


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_committed_stacks_load_alike_from_file_and_engine(stack: str) -> None:
    content = yaml.safe_load((PROJECT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))["config"]
    settings = {key.split(":", 1)[1]: value for key, value in content.items()}
    assert through_engine(settings) == load_file(stack, PROJECT)


def test_a_secret_is_rejected_and_not_printed(tmp_path: Path) -> None:
    settings = prod()
    settings["trainingJobs"]["pytorch-training"]["env"] = {"TOKEN": {"secure": "v1:abc:def"}}
    from_file = stack_error(lambda: through_file(settings, tmp_path))
    assert [(p.code, p.property_path()) for p in from_file.problems] == [("secret-in-configuration", "trainingJobs")]
    assert "abc" not in str(from_file)

    settings["trainingJobs"]["pytorch-training"]["env"] = {"TOKEN": "hunter2"}
    settings["trainingJobs"]["pytorch-training"]["gpus"] = "hunter2"
    config = {f"ml-platform:{key}": json.dumps(value) for key, value in settings.items()}

    def program() -> None:
        pulumi.runtime.set_all_config(config, ["ml-platform:trainingJobs"])
        load()

    from_engine = stack_error(lambda: deploy(program, stack="prod"))
    assert from_engine.problems == from_file.problems
    assert "hunter2" not in str(from_engine)


@pytest.mark.parametrize("key", ["env", "annotations", "secretEnv", "args"])
def test_values_that_may_be_secrets_are_not_printed(key: str, tmp_path: Path) -> None:
    settings = prod()
    settings["trainingJobs"]["pytorch-training"][key] = "hunter2"
    error = stack_error(lambda: through_file(settings, tmp_path))
    assert [(p.code, p.property_path()) for p in error.problems] == [
        ("wrong-type", f"trainingJobs.pytorch-training.{key}")
    ]
    assert "hunter2" not in str(error)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("config: [", "not-yaml"),
        ("a\tb: {", "not-yaml"),
        # If these loaded as an empty stack, the next update would delete all of its objects.
        ("config: [a]", "not-a-mapping"),
        ("config: false", "not-a-mapping"),
        ("- ml-platform:teams", "not-a-mapping"),
        ("[]", "not-a-mapping"),
        ("confg: {}\nencryptionsalt: v1", "unknown-file-key"),
    ],
)
def test_a_file_that_is_not_a_stack_is_rejected(content: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.prod.yaml").write_text(content, encoding="utf-8")
    (problem,) = stack_error(lambda: load_file("prod", tmp_path)).problems
    assert (problem.code, problem.path) == (code, ())
    assert problem.fix


def test_a_section_that_is_not_json_is_rejected_by_its_path() -> None:
    error = stack_error(lambda: deploy(load, stack="prod", config={"ml-platform:teams": "nlp"}))
    assert [(p.code, p.property_path()) for p in error.problems] == [("wrong-type", "teams")]


def test_a_file_in_another_encoding_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.prod.yaml").write_bytes("config: {} # für".encode("latin-1"))
    error = stack_error(lambda: load_file("prod", tmp_path))
    assert [problem.code for problem in error.problems] == ["not-utf8"]
    assert "byte 15" in str(error)


def test_a_stack_without_a_file_lists_those_that_have_one() -> None:
    error = stack_error(lambda: load_file("staging", PROJECT))
    assert [problem.code for problem in error.problems] == ["file-not-found"]
    assert "dev and prod" in str(error)


def test_the_name_of_a_stack_may_contain_a_dot(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.eu.prod.yaml").write_text("config: {}", encoding="utf-8")
    assert load_file("eu.prod", tmp_path).teams == {}
    assert "eu.prod" in str(stack_error(lambda: load_file("eu", tmp_path)))


@pytest.mark.parametrize("content", ["", "config:\n", "config:\n  kubernetes:context: sandbox\n"])
def test_an_empty_stack_is_valid(content: str, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.prod.yaml").write_text(content, encoding="utf-8")
    assert load_file("prod", tmp_path).teams == {}


def test_an_error_has_the_path_of_the_key(tmp_path: Path) -> None:
    write({"teams": {"ml": {"quota": {"pods": "many"}}}}, tmp_path)
    (problem,) = stack_error(lambda: load_file("prod", tmp_path)).problems
    assert (problem.code, problem.property_path()) == ("quantity-invalid", "teams.ml.quota.pods")


NONSENSE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("gpu"),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=8), values, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_value_anywhere_in_a_stack_is_valid_or_a_problem_with_a_message(data: st.DataObject) -> None:
    stack = prod()
    parent: Any = stack
    while True:
        key = data.draw(st.sampled_from(sorted(parent)))
        if not isinstance(parent[key], dict) or not parent[key] or data.draw(st.booleans()):
            break
        parent = parent[key]
    parent[key] = data.draw(NONSENSE)
    found = problems(stack)
    assert all(problem.message for problem in found)
    assert not found or str(StackError("prod", found))
