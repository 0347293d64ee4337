"""The layout of a page within a limit."""

import pytest

from review import messages
from review.layout import LIMIT, Page, Section, code, fitted


def write(section: Section) -> str:
    return "".join((section.title, *section.lines, *(cell for row in section.rows for cell in row)))


def fit(*sections: Section, head: str = "", limit: int = LIMIT) -> str:
    page = fitted(Page("prod", "", "", sections), head, write, limit)
    assert len(page) <= limit
    return page


def test_a_short_page_is_unchanged() -> None:
    assert fit(Section("T", lines=("a",), rows=(("b", "c"),)), head="head") == "headTabc"


def test_a_long_entry_is_cut() -> None:
    page = fit(Section("T", lines=("y" * 2 * LIMIT, "short")))
    omitted = messages.CHARACTERS_OMITTED(characters=f"{2 * LIMIT - 1000} characters")
    assert page == f"T{'y' * 1000}… {omitted}short"


def test_a_code_text_is_still_marked_if_it_is_cut() -> None:
    page = fit(Section("", lines=(code("y" * 2 * LIMIT),)))
    assert page.startswith(code("y" * 999 + "…") + " (")


def test_long_sections_are_shortened_those_of_components_first() -> None:
    rows = (("x" * 2_000,),) * 200
    page = fit(Section("C", rows=rows, component=True), Section("O", rows=rows))
    assert page == f"C{'x' * 2_000 * 5}O{'x' * 2_000 * 20}"


def test_components_that_do_not_fit_are_named() -> None:
    components = [Section(f"Component {index}", lines=("x" * 900,) * 20, component=True) for index in range(30)]
    page = fit(Section("First", lines=("a",)), *components)
    assert page.startswith("Firsta")
    assert "Component 29" in page


def test_sections_that_do_not_fit_are_named() -> None:
    page = fit(
        Section("First", lines=("a" * 500,)),
        Section("Component", lines=("b" * 500,), component=True),
        Section("Second" * 900, lines=("c" * 500,)),
        Section("Third", lines=("d" * 500,)),
        head="head",
        limit=7_100,
    )
    assert page.startswith("headFirst" + "a" * 500 + "Third" + "d" * 400)
    titles = f"Component, {'Second' * 900}"[:900]
    assert page.endswith("Omitted" + str(messages.SECTIONS_OMITTED(sections="2 sections", titles=f"{titles}…")))


@pytest.mark.parametrize(("maximum", "lines", "rows"), [(3, 2, 1), (2, 2, 0), (1, 1, 0), (9, 2, 2)])
def test_entries_come_before_rows(maximum: int, lines: int, rows: int) -> None:
    section = Section("T", lines=("a", "b"), rows=(("c",), ("d",))).shortened(maximum)
    assert (len(section.lines), len(section.rows), section.omitted) == (lines, rows, 4 - lines - rows)
