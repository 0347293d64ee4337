"""What the pages show is what the project does."""

import pytest

from docs import write_reference as reference


def test_the_reference_is_fresh() -> None:
    """When this fails: python -m docs.write_reference."""
    written = {file.name: file.read_text(encoding="utf-8") for file in reference.FOLDER.glob("*.md")}
    assert written == reference.pages()


@pytest.mark.parametrize("page", reference.PAGES, ids=lambda page: page.title)
def test_the_reference_has_every_argument_with_an_explanation(page: reference.Page) -> None:
    text = "\n".join(reference.pages().values())
    for model in reference.with_nested(page.model):
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name} has no docstring"
            heading = f"### `{field.alias}`\n\nType: "
            assert heading in text, f"{model.__name__}.{name}"
