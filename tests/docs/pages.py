"""The code blocks, headings and links of Markdown pages."""

import re
import shlex
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PAGES = sorted(PROJECT.glob("docs/**/*.md"))
"""The pages of the site."""

ROOT_PAGES = sorted(PROJECT.glob("*.md"))


@dataclass(frozen=True)
class Block:
    """A code block."""

    page: str
    line: int
    language: str
    text: str
    follows: bool
    """Whether only white space separates it from the block before it."""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def _blocks(page: Path) -> list[Block]:
    content = page.read_text(encoding="utf-8")
    found: list[Block] = []
    end = -1
    for match in re.finditer(r"^```(\w*)\n(.*?)^```\n", content, re.MULTILINE | re.DOTALL):
        follows = bool(found) and not content[end : match.start()].strip()
        line = content.count("\n", 0, match.start()) + 1
        where = str(page.relative_to(PROJECT / "docs"))
        found.append(Block(where, line, match[1], match[2], follows))
        end = match.end()
    # An indented block, as in a list, would be missed here.
    assert content.count("```") == 2 * len(found), page
    return found


BLOCKS = [block for page in PAGES for block in _blocks(page)]


def output_of(block: Block) -> Block | None:
    """The block of output that a page shows for another one: the text block right after it."""
    for after in BLOCKS[BLOCKS.index(block) + 1 :][:1]:
        if after.page == block.page and after.follows and after.language == "text":
            return after
    return None


def commands(block: Block) -> list[list[str]]:
    """The commands in a block of shell commands, in words."""
    return [shlex.split(command) for line in block.text.splitlines() for command in line.split(" | ")]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as Python-Markdown makes them."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    found: Counter[str] = Counter()
    made = set()
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        plain = unicodedata.normalize("NFKD", heading).encode("ascii", "ignore").decode()
        slug = re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain).strip().lower())
        made.add(f"{slug}_{found[slug]}" if found[slug] else slug)
        found[slug] += 1
    return made


def links(page: Path) -> list[str]:
    """The relative links of a page."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    targets = re.findall(r"\]\(([^()\s]+)\)", re.sub(r"`[^`\n]+`", "", text))
    return [target for target in targets if "://" not in target]
