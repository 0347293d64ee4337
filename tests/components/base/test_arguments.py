"""The base of argument models: names, errors, references and outputs."""

from typing import Any

import pulumi
import pytest
from pydantic import Field

from components import ArgumentError, ModelServiceArgs, TrainingJobArgs
from components.base.arguments import Arguments, check_exactly_one, check_reference, checked_name
from components.base.errors import PROBLEM
from components.base.names import DeferredName, DnsLabel
from tests.problems import errors, problems
from tests.values import validated


class Inner(Arguments):
    max_size: int = Field(default=1, ge=1)
    """A size."""


class Outer(Arguments):
    inner_one: Inner | None = None
    """A nested model."""

    by_name: dict[str, Inner] = {}
    """Nested models by name."""

    in_list: list[Inner] = []
    """Nested models in a list."""


def test_arguments_are_accepted_in_snake_case_and_in_camel_case() -> None:
    by_name, by_alias = Outer(inner_one=Inner(max_size=2)), Outer.of({"innerOne": {"maxSize": 2}})
    assert by_name == by_alias
    assert Outer.of(by_name) is by_name


def test_arguments_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Outer().inner_one = None  # type: ignore[misc]


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({"inner_one": {"max_size": 0}}, "inner_one.max_size"),
        ({"innerOne": {"maxSize": 0}}, "inner_one.max_size"),
        ({"by_name": {"maxSize": {"max_size": 0}}}, "by_name.maxSize.max_size"),
        ({"in_list": [{}, {"max_size": 0}]}, "in_list[1].max_size"),
    ],
)
def test_an_error_has_its_path_in_snake_case(arguments: dict[str, Any], path: str) -> None:
    assert errors(lambda: Outer(**arguments)) == [("out-of-range", path)]


def test_all_errors_are_reported_together() -> None:
    found = errors(lambda: Outer.of({"innerOne": {"maxSize": 0}, "unknown": 1, "inList": 3}))
    assert found == [("out-of-range", "inner_one.max_size"), ("wrong-type", "in_list"), ("unknown-key", "unknown")]


def test_a_value_is_not_printed_where_it_may_be_a_secret() -> None:
    with pytest.raises(ArgumentError) as error:
        TrainingJobArgs(namespace="ml", image="a:b", env=["hunter2"], args="hunter2")  # type: ignore[arg-type]
    assert "hunter2" not in str(error.value)


def test_the_name_of_a_component_is_an_argument() -> None:
    assert checked_name("TrainingJob", "bert", DnsLabel) == "bert"
    (problem,) = problems(lambda: checked_name("TrainingJob", "BERT", DnsLabel))
    assert (problem.code, problem.path, problem.value) == ("name-invalid", ("name",), "bert")


def test_a_reference_to_a_missing_name_suggests_the_nearest_one() -> None:
    check_reference("nlp", "team", ["nlp"])
    check_reference("nlp", "team", None)
    with pytest.raises(ValueError, match="nlq") as error:
        check_reference("nlq", "team", ["vision", "nlp"])
    assert error.value.context["value"] == "nlp"  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="nlq") as error:
        check_reference("nlq", "team", [])
    assert error.value.context["value"] is None  # type: ignore[attr-defined]
    assert error.value.context["fix"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("given", "valid"), [([], False), (["a"], True), (["a", "b"], False)])
def test_exactly_one(given: list[str], valid: object) -> None:
    if valid:
        check_exactly_one(given, ["a", "b"])
        return
    with pytest.raises(ValueError, match="a and b") as error:
        check_exactly_one(given, ["a", "b"])
    assert error.value.type == PROBLEM  # type: ignore[attr-defined]


def test_an_output_is_accepted_and_its_plain_value_is_validated() -> None:
    output = pulumi.Output.from_input("BERT")
    assert validated(DeferredName, output) is output
    assert validated(DeferredName, "bert") == "bert"
    service = ModelServiceArgs(namespace="ml", image=output)
    assert service.image is output
    assert errors(lambda: ModelServiceArgs(namespace="ML", image="a:b")) == [("name-invalid", "namespace")]
