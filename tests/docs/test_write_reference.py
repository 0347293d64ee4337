import pytest

from components.base.arguments import Arguments
from docs import write_reference
from docs.reference_arguments import arguments_of
from docs.reference_models import PAGES, Page, files, with_nested


def test_the_pages_are_up_to_date() -> None:
    """If this fails: ``make golden``."""
    pages = write_reference.pages()
    written = {name: (write_reference.FOLDER / name).read_text(encoding="utf-8") for name in pages}
    assert written == pages


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.title)
def test_every_argument_has_a_section_and_a_docstring(page: Page) -> None:
    text = "\n".join(write_reference.pages().values())
    for model in with_nested(page.model):
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name} has no docstring"
            assert f"### `{field.alias}`\n\nType: " in text, f"{model.__name__}.{name}"


@pytest.mark.parametrize("model", files(), ids=lambda model: model.__name__)
def test_every_argument_states_what_a_change_does(model: type[Arguments]) -> None:
    links = {nested.__name__: "" for nested in files()}
    arguments = arguments_of(model, files()[model], links)
    assert [argument.name for argument in arguments if not argument.on_change] == []


def test_every_preset_is_listed() -> None:
    page = write_reference.pages()["node-pool.md"]
    row = "| `gke/nvidia-l4` | `cloud.google.com/gke-accelerator: nvidia-l4` | `nvidia.com/gpu:NoSchedule` |"
    assert f"{row} `nvidia.com/gpu` |" in page
    assert "`sku=gpu:NoSchedule`" in page


def test_the_keys_of_a_stack_lead_to_their_pages() -> None:
    index = write_reference.pages()["index.md"]
    for page in PAGES:
        assert f"[{page.title}]({page.file})" in index


def test_a_component_has_its_attributes() -> None:
    assert "\n- `job_name`: " in write_reference.pages()["training-job.md"]
