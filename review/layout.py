"""A page of sections that fits into the comment of a pull request."""

from bisect import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from review import messages
from review.messages import counted

# In characters. GitHub accepts 65,536; the rest is left to a pipeline that adds text.
LIMIT = 60_000

# The maximum number of entries of a component's section, in steps, if the page is too long.
_MAX_ENTRIES = (100, 20, 5)

# The entries that other sections keep.
_MIN_ENTRIES = 20

# The length to which an entry is cut if the page is too long: enough for the text and usually for the fix.
_ENTRY = 1_000

# The space that is reserved for the section of what was omitted, and for the titles in it.
_OMITTED = 6_000
_TITLES = 900


@dataclass(frozen=True)
class Section:
    """A section of the page: a list, a table, and text below it."""

    title: str
    lines: tuple[str, ...] = ()
    """The entries of the list."""

    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    """The table. Texts of the stack are marked with ``code``."""

    after: tuple[str, ...] = ()
    """The text below the table."""

    component: bool = False
    """Whether it describes one component, and may be omitted as a whole."""

    omitted: int = 0
    """The number of omitted entries and rows."""

    def shortened(self, maximum: int) -> "Section":
        """The section with a maximum number of entries and rows."""
        lines, rows = self.lines[:maximum], self.rows[: max(0, maximum - len(self.lines))]
        omitted = len(self.lines) + len(self.rows) - len(lines) - len(rows) + self.omitted
        return replace(self, lines=lines, rows=rows, omitted=omitted)


@dataclass(frozen=True)
class Page:
    """The whole page."""

    stack: str
    headline: str
    summary: str
    sections: tuple[Section, ...] = field(default_factory=tuple)


def fitted(page: Page, head: str, write: Callable[[Section], str], limit: int = LIMIT) -> str:
    """The page as text within the limit, with a section that names what was omitted.

    Long entries are cut first. Then long sections are shortened, components are omitted, and finally other entries.
    """
    sections = list(page.sections)
    texts = [write(section) for section in sections]
    if len(head) + sum(map(len, texts)) > limit:
        sections = [replace(section, lines=tuple(map(_cut, section.lines))) for section in sections]
        texts = [write(section) for section in sections]
    for maximum in _MAX_ENTRIES:
        if len(head) + sum(map(len, texts)) <= limit:
            break
        sections = [
            section.shortened(maximum if section.component else max(maximum, _MIN_ENTRIES)) for section in sections
        ]
        texts = [write(section) for section in sections]
    length = len(head) + sum(map(len, texts))
    omitted: list[str] = []
    if length > limit:
        for section, text in reversed(list(zip(sections, texts, strict=True))):
            if length > limit - _OMITTED and section.component:
                length -= len(text)
                sections.remove(section)
                omitted.insert(0, section.title)
    return head[: limit - _OMITTED] + _within(sections, omitted, write, limit - len(head))


def _within(sections: Sequence[Section], omitted: Sequence[str], write: Callable[[Section], str], space: int) -> str:
    """Sections, each with as many entries as there is space for, and the titles of omitted ones."""
    whole = "".join(map(write, sections))
    if not omitted and len(whole) <= space:
        return whole
    text = ""
    without_space: list[str] = []
    for section in sections:
        left = space - _OMITTED - len(text)
        entries = _fitting_entries(section, write, left)
        if entries or len(write(section)) <= left:
            text += write(section.shortened(entries))
        else:
            without_space.append(section.title)
    titles = ", ".join([*omitted, *without_space])
    if not titles:
        return text
    count = counted(len(omitted) + len(without_space), "section" if without_space else "component")
    shown = titles if len(titles) < _TITLES else f"{titles[:_TITLES]}…"
    entry = str(messages.SECTIONS_OMITTED(sections=count, titles=shown))
    return text + write(Section("Omitted", lines=(entry,)))


def _fitting_entries(section: Section, write: Callable[[Section], str], space: int) -> int:
    """The number of entries of a section that there is space for."""

    def length(entries: int) -> int:
        return len(write(section.shortened(entries)))

    return bisect(range(1, len(section.lines) + len(section.rows) + 1), space, key=length)


def _cut(entry: str) -> str:
    """The beginning of a long entry."""
    if len(entry) <= _ENTRY:
        return entry
    kept = entry[:_ENTRY]
    quoted = kept.count("\x00") - kept.count("\x01")
    omitted = messages.CHARACTERS_OMITTED(characters=counted(len(entry) - _ENTRY, "character"))
    return f"{kept}…{chr(1) * quoted} {omitted}"


def code(text: str) -> str:
    """Mark a text of the stack, which is then shown as code."""
    return f"\x00{text}\x01"
