import pytest
from pydantic import Field

from components import TrainingJobArgs
from components.base.arguments import Arguments
from docs.reference_arguments import Argument, arguments_of, split_mutability, table


class Inner(Arguments):
    """Something nested. A change rolls the pods of a service; a job needs a new run."""

    path: str = "/data"
    """Where it is."""

    name_of_it: str | None = None
    """What it is called; default: the path. Updatable in place."""


class Outer(Arguments):
    """Something. A change rolls the pods."""

    drain_seconds: int = Field(default=15, examples=[30])
    """How long it drains. Default: longer than most load balancers need.

    See ``name_of_it``.
    """

    weight: int | None = None
    """Percent of the requests. Defaults to an equal share, which depends on the number of pods and on the number of versions.

    Ignored without a canary. A change replaces the object.
    """

    inner: Inner = Inner()
    """The nested one."""

    probe: Inner = Inner(path="/health")
    """The other one."""

    required: str
    """A|B."""


LINKS = {"Inner": "#type-inner"}


def argument(name: str, model: type[Arguments] = Outer, page: str = "model-service.md") -> Argument:
    (found,) = (argument for argument in arguments_of(model, page, LINKS) if argument.name == name)
    return found


def test_a_default_value_and_its_reason() -> None:
    drain = argument("drainSeconds")
    assert (drain.type, drain.default, drain.example) == ("integer (seconds)", "`15`", "`30`")
    assert drain.text.startswith("How long it drains. Default: longer than most")


def test_a_default_that_only_the_docstring_states_is_stated_once() -> None:
    weight = argument("weight")
    assert weight.type == "integer (percent)"
    assert weight.default.startswith("an equal share, which depends on")
    assert weight.text == "Percent of the requests.\n\nIgnored without a canary."
    assert "| see below |" in weight.row(linked=True)


def test_a_default_after_a_semicolon() -> None:
    name = argument("nameOfIt", Inner)
    assert (name.default, name.text) == ("the path", "What it is called.")


def test_nested_defaults() -> None:
    assert argument("inner").default == "its own defaults"
    assert argument("probe").default == "`{path: /health}`"
    assert argument("required").default == "required"


def test_the_default_resources_are_those_of_the_component() -> None:
    links = dict.fromkeys(("SecretKey", "Resources", "Volume", "InitContainer", "Checkpoints", "TrainingSecurity"), "#")
    (resources,) = (a for a in arguments_of(TrainingJobArgs, "", links) if a.name == "resources")
    assert resources.default.startswith('`{requests: {cpu: "4"')


def test_what_a_change_does_is_stated_by_the_argument_or_by_its_model() -> None:
    assert argument("drainSeconds").on_change == "rolls the pods"
    assert argument("weight").on_change == "replaces"
    assert argument("nameOfIt", Inner).on_change == "in place"


@pytest.mark.parametrize(
    ("page", "on_change"),
    [
        ("training-job.md", "new run"),
        ("model-service.md", "rolls the pods"),
        ("shared.md", "rolls the pods (service), new run (job)"),
    ],
)
def test_what_a_change_does_to_both_workloads_depends_on_the_page(page: str, on_change: str) -> None:
    assert argument("path", Inner, page).on_change == on_change


def test_a_text_without_a_statement_about_changes_is_unchanged() -> None:
    assert split_mutability("Where it is.") == ("Where it is.", "")


def test_names_are_spelled_as_in_yaml() -> None:
    assert "See `nameOfIt`." in argument("drainSeconds").text


def test_a_table_has_a_row_for_each_argument() -> None:
    head, _, first, *rows, last, end = table(list(arguments_of(Outer, "model-service.md", LINKS)), linked=True)
    assert head == "| argument | type | default | on change |"
    assert first == "| [`drainSeconds`](#drainseconds) | integer (seconds) | `15` | rolls the pods |"
    assert len(rows) == 3
    assert (last, end) == ("| [`required`](#required) | string | required | rolls the pods |", "")
    assert Argument("a", "b|c", "", "", "", "").row(linked=False) == "| `a` | b\\|c |  |  |"


def test_a_section_states_the_facts_before_the_text() -> None:
    heading, facts, text = argument("weight").section()
    assert heading == "### `weight`\n"
    assert facts.startswith("Type: integer (percent). Default: an equal share")
    assert facts.endswith(". On change: replaces.\n")
    assert text.startswith("Percent")
    assert argument("required").section()[1] == "Type: string. Required. On change: rolls the pods.\n"
