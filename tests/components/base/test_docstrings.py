from components.base.docstrings import attribute_docs, markdown
from components.model_service.args import ModelServiceArgs


class Documented:
    """A class."""

    plain: int
    documented: str
    """First line.

    Second paragraph.
    """


def test_code_has_single_backticks() -> None:
    assert markdown("Serves ``/health``.") == "Serves `/health`."


def test_arguments_are_in_camel_case() -> None:
    assert "startup_budget_seconds" in ModelServiceArgs.model_fields
    text = "Limited by ``startup_budget_seconds`` and ``network.allow_to``; ``wait_for: completion`` waits."
    assert markdown(text) == "Limited by `startupBudgetSeconds` and `network.allowTo`; `waitFor: completion` waits."


def test_other_names_and_text_outside_of_code_are_unchanged() -> None:
    assert markdown("``ml_platform`` in startup_budget_seconds") == "`ml_platform` in startup_budget_seconds"


def test_indentation_is_removed() -> None:
    assert markdown("First line.\n\n    Second paragraph.\n    ") == "First line.\n\nSecond paragraph."


def test_no_docstring() -> None:
    assert markdown(None) == ""


def test_docstrings_of_attributes() -> None:
    docs = attribute_docs(Documented)
    assert list(docs) == ["documented"]
    assert markdown(docs["documented"]) == "First line.\n\nSecond paragraph."
