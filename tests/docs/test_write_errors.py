from components.base.error_table import TABLE
from docs import write_errors


def test_the_page_is_up_to_date() -> None:
    """If this fails: ``make golden``."""
    assert write_errors.FILE.read_text(encoding="utf-8") == write_errors.render()


def test_every_error_has_a_heading_and_an_example() -> None:
    page = write_errors.render()
    for code, kind in TABLE.items():
        message, fix = kind.example()
        section = f"## {code}\n\n    {message} [{code}]\n" + (f"      {fix}\n" if fix else "")
        assert section in page
        assert "{" not in section, "an example is missing"
