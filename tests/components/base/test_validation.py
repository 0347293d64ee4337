"""pydantic's errors as problems: codes, paths, and what is printed of the input."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, Field, ValidationError

from components.base.arguments import Arguments
from components.base.error_table import PYDANTIC, RESERVED
from components.base.validation import problems_of
from tests.problems import problems


def _reserved(key: str) -> str:
    if key == "kube":
        raise RESERVED(name=key, owner="Kubernetes", value="team-kube")
    return key


Key = Annotated[str, AfterValidator(_reserved)]


class Args(Arguments):
    count: Annotated[int, Field(ge=1, le=9, strict=True)] = 1
    share: Annotated[float, Field(gt=0, lt=1, strict=True)] = 0.5
    text: str = ""
    flag: Annotated[bool, Field(strict=True)] = False
    kind: Literal["a", "b"] = "a"
    items: Annotated[list[str], Field(min_length=1, max_length=2)] = ["x"]
    by_key: dict[Key, int] = {}
    path: Annotated[str, Field(pattern="^/")] = "/"
    env: dict[str, int] = {}
    key: Key = ""


@pytest.mark.parametrize(
    ("arguments", "code", "path"),
    [
        ({"count": 0}, "out-of-range", "count"),
        ({"count": 10}, "out-of-range", "count"),
        ({"count": "1"}, "wrong-type", "count"),
        ({"share": 0.0}, "out-of-range", "share"),
        ({"share": 1.0}, "out-of-range", "share"),
        ({"share": "x"}, "wrong-type", "share"),
        ({"text": 1}, "wrong-type", "text"),
        ({"flag": "yes"}, "wrong-type", "flag"),
        ({"kind": "c"}, "not-one-of", "kind"),
        ({"items": []}, "length", "items"),
        ({"items": ["a", "b", "c"]}, "length", "items"),
        ({"items": {}}, "wrong-type", "items"),
        ({"by_key": []}, "wrong-type", "by_key"),
        ({"by_key": {"x": "y"}}, "wrong-type", "by_key.x"),
        ({"path": "health"}, "invalid", "path"),
        ({"unknown": 1}, "unknown-key", "unknown"),
    ],
)
def test_codes_and_paths(arguments: dict[str, Any], code: str, path: str) -> None:
    (problem,) = problems(lambda: Args(**arguments))
    assert (problem.code, problem.property_path()) == (code, path)
    assert problem.message


def test_the_suggestion_for_a_key_is_a_key_and_for_a_value_a_value() -> None:
    (of_key,) = problems(lambda: Args(by_key={"kube": 1}))
    assert (of_key.path, of_key.value, of_key.key) == (("by_key", "kube"), None, "team-kube")
    (of_value,) = problems(lambda: Args(key="kube"))
    assert (of_value.path, of_value.value, of_value.key) == (("key",), "team-kube", None)


@pytest.mark.parametrize(
    ("given", "printed"),
    [(None, "nothing"), (True, "true"), ([1], "a list"), ({"a": 1}, "a mapping"), ("x" * 80, "'" + "x" * 60 + "'")],
)
def test_the_input_is_printed_in_the_terms_of_yaml(given: Any, printed: str) -> None:
    (problem,) = problems(lambda: Args(count=given))
    assert f"(got {printed})" in problem.message


def test_the_input_is_not_printed_below_keys_that_may_hold_secrets() -> None:
    (problem,) = problems(lambda: Args(env={"TOKEN": "hunter2"}))  # type: ignore[dict-item]
    assert problem.property_path() == "env.TOKEN"
    assert "hunter2" not in problem.message


def test_every_type_of_pydantic_in_the_table_has_a_kind_whose_message_can_be_filled() -> None:
    context: dict[str, Any] = {"ge": 1, "gt": 1, "le": 1, "lt": 1, "min_length": 1, "max_length": 1, "expected": "'a'"}
    for kind in PYDANTIC.values():
        assert kind.problem((), got="", reason="", **context).message


def test_a_validation_without_a_kind_of_its_own_is_reported_with_pydantics_message() -> None:
    with pytest.raises(ValidationError) as error:
        Args.model_validate({"path": "health"})
    (problem,) = problems_of(error.value)
    assert problem.code == "invalid"
    assert "pattern" in problem.message
