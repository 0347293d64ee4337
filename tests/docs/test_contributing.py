"""CONTRIBUTING.md names files, commands and sentences that exist."""

import re

from components.base.arguments import MUTABILITY
from tests.docs.pages import PROJECT

TEXT = (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_the_files_exist() -> None:
    paths = re.findall(r"`([\w.-]+(?:/[\w.-]+)+/?)`", TEXT)
    assert len(set(paths)) > 30
    assert sorted({path for path in paths if not path.startswith(".sandbox") and not (PROJECT / path).exists()}) == []


def test_the_commands_exist() -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z0-9-]+):.*## ", makefile, re.MULTILINE))
    assert set(re.findall(r"`make ([a-z0-9-]+)`", TEXT)) == targets - {"help"}


def test_the_sentences_about_changes_are_complete() -> None:
    assert tuple(re.findall(r'^    - "(.+)"$', TEXT, re.MULTILINE)) == MUTABILITY
