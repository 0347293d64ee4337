"""A page of sections, no longer than a comment may be."""

from bisect import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

# What GitHub takes is 65,536 characters; the rest is for what a pipeline may add.
LIMIT = 60_000


# How many entries a section keeps where the page is too long, step by step.
_ROWS_WHERE_LONG = (100, 20, 5)


_ROWS_KEPT = 20


# How much of an entry is kept where the page is too long: what is wrong, and as a rule the fix.
_ENTRY = 1_000


# Room for a note of what was left out.
_NOTE = 6_000


_TITLES = 900


@dataclass(frozen=True)
class Section:
    """A part of the page."""

    title: str
    lines: tuple[str, ...] = ()
    """Entries of a list."""

    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    """A table; the texts of a stack's own are marked by ``code``."""

    after: tuple[str, ...] = ()
    """What is said below the table."""

    component: bool = False
    """Whether it is about one component of many."""

    cut: int = 0
    """How many lines and rows were left out."""

    def shortened(self, most: int) -> "Section":
        """With so many lines and rows at most."""
        lines, rows = self.lines[:most], self.rows[: max(0, most - len(self.lines))]
        return replace(
            self, lines=lines, rows=rows, cut=len(self.lines) + len(self.rows) - len(lines) - len(rows) + self.cut
        )


@dataclass(frozen=True)
class Page:
    """The whole page."""

    stack: str
    verdict: str
    summary: str
    sections: tuple[Section, ...] = field(default_factory=tuple)


def fitted(page: Page, head: str, written: Callable[[Section], str], limit: int = LIMIT) -> str:
    """The page, written within the limit, and what was left out.

    Long entries are cut first, then long sections are shortened, then components are left out, and at last entries.
    """
    sections = list(page.sections)
    texts = [written(section) for section in sections]
    if len(head) + sum(map(len, texts)) > limit:
        sections = [replace(section, lines=tuple(map(_cut, section.lines))) for section in sections]
        texts = [written(section) for section in sections]
    for most in _ROWS_WHERE_LONG:
        if len(head) + sum(map(len, texts)) <= limit:
            break
        sections = [section.shortened(most if section.component else max(most, _ROWS_KEPT)) for section in sections]
        texts = [written(section) for section in sections]
    length = len(head) + sum(map(len, texts))
    dropped: list[str] = []
    if length > limit:
        for section, text in reversed(list(zip(sections, texts, strict=True))):
            if length > limit - _NOTE and section.component:
                length -= len(text)
                sections.remove(section)
                dropped.insert(0, section.title)
    return head[: limit - _NOTE] + _as_much_as_fits(sections, dropped, written, limit - len(head))


def _as_much_as_fits(
    sections: Sequence[Section], dropped: Sequence[str], written: Callable[[Section], str], room: int
) -> str:
    """Sections, each with as many entries as there is room for, and the titles of those that were dropped."""
    whole = "".join(map(written, sections))
    if not dropped and len(whole) <= room:
        return whole
    text, without = "", []
    for section in sections:
        left = room - _NOTE - len(text)
        fitting = _fitting(section, written, left)
        if fitting or len(written(section)) <= left:
            text += written(section.shortened(fitting))
        else:
            without.append(section.title)
    titles = ", ".join([*dropped, *without])
    told = titles if len(titles) < _TITLES else f"{titles[:_TITLES]}…"
    what = f"{len(dropped) + len(without)} {'sections' if without else 'components'}"
    left_out = Section("Left out", lines=(f"{what}, for a comment has an end: {told}",))
    return text + (written(left_out) if told else "")


def _fitting(section: Section, written: Callable[[Section], str], room: int) -> int:
    """How many entries of a section there is room for."""

    def size(entries: int) -> int:
        return len(written(section.shortened(entries)))

    return bisect(range(1, len(section.lines) + len(section.rows) + 1), room, key=size)


def _cut(entry: str) -> str:
    """The beginning of a long entry."""
    if len(entry) <= _ENTRY:
        return entry
    kept = entry[:_ENTRY]
    quoted = kept.count("\x00") - kept.count("\x01")
    return f"{kept}…{chr(1) * quoted} ({len(entry) - _ENTRY} characters more)"


def code(text: str) -> str:
    """Mark a text that is the stack's own: it is quoted, whatever is in it."""
    return f"\x00{text}\x01"
