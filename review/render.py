"""Formats of a review: Markdown for a pull request, text for a terminal, and JSON for programs."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from policies import Finding, Rule
from review import messages
from review.layout import LIMIT, Page, Section, fitted
from review.messages import Message, counted
from review.page import page
from review.review import Review

_CODE = re.compile("\x00(.*?)\x01", re.DOTALL)


def markdown(review: Review, limit: int = LIMIT) -> str:
    """The page in GitHub's Markdown. Its first line identifies the comment of the stack for a pipeline."""
    content = page(review)
    head = f"{marker(content.stack)}\n## {_escaped(content.stack)}: {_escaped(content.headline)}\n"
    if content.summary:
        head += f"\n{_escaped(content.summary)}\n"
    return fitted(content, head, _markdown, limit)


def text(review: Review) -> str:
    """The page for a terminal."""
    return _text(page(review))


def as_json(review: Review) -> str:
    """The whole review as JSON."""
    content = {"verdict": review.verdict, **_plain(review)}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _plain(value: Any) -> Any:
    """A value as JSON has it: messages with their codes, rules without their functions."""
    if isinstance(value, Message):
        return {"code": value.code, "text": value.text, "fix": value.fix, "values": _plain(value.values)}
    if isinstance(value, Rule):
        return {"id": value.id, "reason": value.reason, "fix": value.fix, "level": value.level}
    if isinstance(value, Finding):
        return {"rule": _plain(value.rule), "target": value.target, "message": value.message}
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, date):
        return value.isoformat()
    return value if value is None or isinstance(value, str | int | float) else str(value)


def marker(stack: str) -> str:
    """The first line of the comment of a stack."""
    return f"<!-- ml-platform review of {stack} -->"


def _markdown(section: Section) -> str:
    lines = ["", f"### {_escaped(section.title)}", "", *(f"- {_entry(line)}" for line in section.lines)]
    if section.rows:
        lines += ["", *_table(section)] if section.lines else _table(section)
    if section.after:
        lines += ["", *(_escaped(line) for line in section.after)]
    if section.omitted:
        lines += ["", f"*{messages.ENTRIES_OMITTED(rows=counted(section.omitted, 'more row'))}*"]
    return "\n".join(lines) + "\n"


def _table(section: Section) -> list[str]:
    rows = [section.header, tuple("---" for _ in section.header), *(map(_cell, row) for row in section.rows)]
    return [f"| {' | '.join(row)} |" for row in rows]


def _cell(value: str) -> str:
    return _escaped(value).replace("\n", " ")


def _entry(line: str) -> str:
    """An entry of a list; a code block if it has several lines."""
    if "\n" not in line:
        return _escaped(line)
    fence = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 3)
    return "\n  ".join([fence, *_CODE.sub(r"\1", line).splitlines(), fence])


def _escaped(value: str) -> str:
    """Text that Markdown does not interpret: nothing in a stack can create a link, a mention or a table row."""
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


def _text(content: Page) -> str:
    lines = [f"{content.stack}: {content.headline}", *([content.summary] if content.summary else [])]
    for section in content.sections:
        lines += ["", section.title, *(f"  {line.replace(chr(10), chr(10) + '    ')}" for line in section.lines)]
        if section.rows:
            rows = [section.header, *section.rows]
            plain = [[_CODE.sub(r"\1", cell) for cell in row] for row in rows]
            widths = [max(map(len, column)) for column in zip(*plain, strict=True)]
            lines += [f"  {'  '.join(map(str.ljust, row, widths))}".rstrip() for row in plain]
        lines += [f"  {line}" for line in section.after]
    return _CODE.sub(r"\1", "\n".join(lines)) + "\n"


FORMATS: dict[str, Callable[[Review], str]] = {"markdown": markdown, "json": as_json, "text": text}
