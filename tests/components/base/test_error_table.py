"""The table of errors: codes, templates and uses."""

import re
from pathlib import Path

import pytest

from components.base import error_table
from components.base.error_table import PYDANTIC, TABLE
from components.base.errors import ErrorKind

PROJECT = Path(__file__).resolve().parents[3]
SOURCES = {
    file: file.read_text(encoding="utf-8")
    for folder in ("components", "config", "plugin", "policies", "review", "operations")
    for file in (PROJECT / folder).rglob("*.py")
}
KINDS = {name: kind for name, kind in vars(error_table).items() if isinstance(kind, ErrorKind)}


@pytest.mark.parametrize("code", TABLE)
def test_codes_are_in_kebab_case(code: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code)
    assert TABLE[code].code == code


def test_every_code_is_that_of_one_kind() -> None:
    codes = [kind.code for kind in KINDS.values()]
    assert sorted(codes) == sorted(TABLE)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_kind_has_an_example(kind: ErrorKind) -> None:
    message, fix = kind.example()
    assert message
    assert "{" not in message + fix
    for template in (kind.message, kind.fix or ""):
        fields = re.findall(r"{(\w+)(?:!r)?(:[^}]*)?}", template)
        assert all(example for name, example in fields if name != "got"), template


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_no_placeholder_is_a_keyword_of_the_call(kind: ErrorKind) -> None:
    """``value`` and ``key`` are the suggestions of a problem, and never reach the template."""
    names = set(re.findall(r"{(\w+)", kind.message + (kind.fix or "")))
    assert not names & {"value", "key"}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_used(name: str) -> None:
    if KINDS[name].code in {kind.code for kind in PYDANTIC.values()}:
        return
    use = re.compile(rf"^(?!from |    {name},$).*\b{name}\b", re.MULTILINE)
    assert any(use.search(text) for file, text in SOURCES.items() if file.name != "error_table.py")


def test_no_error_is_created_without_the_table() -> None:
    for file, text in SOURCES.items():
        if file.name not in {"errors.py", "error_table.py", "warning_table.py"}:
            assert "PydanticCustomError(" not in text, file
            assert not re.search(r"\bErrorKind\(", text), file
