"""A page as Markdown for a pull request, and as text for a terminal."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any

from review.layout import LIMIT, Page, Section, fitted
from review.page import page
from review.review import Review

_CODE = re.compile("\x00(.*?)\x01", re.DOTALL)


def markdown(review: Review, limit: int = LIMIT) -> str:
    """The page as GitHub's Markdown. Its first line is how a pipeline finds the comment again."""
    made = page(review)
    head = f"{marker(made.stack)}\n## {_escaped(made.stack)}: {_escaped(made.verdict)}\n"
    if made.summary:
        head += f"\n{_escaped(made.summary)}\n"
    return fitted(made, head, _markdown, limit)


def text(review: Review) -> str:
    """The page for a terminal."""
    return _text(page(review))


def as_json(review: Review) -> str:
    """All of the review, for programs."""
    content = _flat({"level": review.level, **asdict(review)})
    return json.dumps(content, indent=2, default=_plain, ensure_ascii=False) + "\n"


def _flat(value: Any) -> Any:
    """The same with rules by what they say, not by the function that finds it."""
    if isinstance(value, Mapping):
        return {key: _flat(item) for key, item in value.items() if key != "check"}
    return [_flat(item) for item in value] if isinstance(value, list | tuple) else value


def marker(stack: str) -> str:
    """The first line of a stack's comment."""
    return f"<!-- ml-platform review of {stack} -->"


def _markdown(section: Section) -> str:
    lines = ["", f"### {_escaped(section.title)}", "", *(f"- {_entry(line)}" for line in section.lines)]
    if section.rows:
        lines += ["", *_table(section)] if section.lines else _table(section)
    if section.after:
        lines += ["", *(_escaped(line) for line in section.after)]
    if section.cut:
        lines += ["", f"*{section.cut} more left out: the page would not fit into a comment.*"]
    return "\n".join(lines) + "\n"


def _table(section: Section) -> list[str]:
    rows = [section.header, tuple("---" for _ in section.header), *(map(_cell, row) for row in section.rows)]
    return [f"| {' | '.join(row)} |" for row in rows]


def _cell(value: str) -> str:
    return _escaped(value).replace("\n", " ")


def _entry(line: str) -> str:
    """An entry of a list; what has lines of its own is shown as it is."""
    if "\n" not in line:
        return _escaped(line)
    fence = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 3)
    return "\n  ".join([fence, *_CODE.sub(r"\1", line).splitlines(), fence])


def _escaped(value: str) -> str:
    """Text that Markdown leaves alone: nothing in a stack makes a link, a mention or a row."""
    parts = []
    for index, part in enumerate(_CODE.split(value)):
        parts.append(_code(part) if index % 2 else re.sub(r"([\\`*_\[\]<>|#~@&])", _entity, part))
    return "".join(parts)


def _entity(match: re.Match[str]) -> str:
    return f"&#{ord(match[1])};"


def _code(value: str) -> str:
    value = value.replace("\n", " ").replace("|", "\\|")
    if not value.strip():
        return "(empty)"
    fence = "`" * (max((len(run) for run in re.findall("`+", value)), default=0) + 1)
    pad = " " if value.startswith("`") or value.endswith("`") else ""
    return f"{fence}{pad}{value}{pad}{fence}"


def _text(page: Page) -> str:
    lines = [f"{page.stack}: {page.verdict}", *([page.summary] if page.summary else [])]
    for section in page.sections:
        lines += ["", section.title, *(f"  {line.replace(chr(10), chr(10) + '    ')}" for line in section.lines)]
        if section.rows:
            rows = [section.header, *section.rows]
            plain = [[_CODE.sub(r"\1", cell) for cell in row] for row in rows]
            widths = [max(map(len, column)) for column in zip(*plain, strict=True)]
            lines += [f"  {'  '.join(map(str.ljust, row, widths))}".rstrip() for row in plain]
        lines += [f"  {line}" for line in section.after]
    return _CODE.sub(r"\1", "\n".join(lines)) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


FORMATS: dict[str, Callable[[Review], str]] = {"markdown": markdown, "json": as_json, "text": text}
