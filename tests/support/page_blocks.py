"""The blocks of code that stand on the pages, and the commands in them."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
CHANGELOG = ROOT / "CHANGELOG.md"
PAGES = [
    *(page for page in sorted(ROOT.glob("*.md")) if page != CHANGELOG),
    *sorted((ROOT / "docs").rglob("*.md")),
]
"""All but the changelog, which names what is no more."""
COMMAND_LANGUAGES = ("sh", "console")
"""Languages of blocks with commands. `console` has `$ ` before one, and below it what it prints."""


class Block(NamedTuple):
    """One fenced block of a page."""

    page: str
    """From the root of the project."""
    line: int
    language: str
    text: str


class Command(NamedTuple):
    """One command of a block."""

    block: Block
    text: str
    shown: Sequence[str]
    """What the page shows of its output; empty where it shows nothing."""


def blocks_of(page: Path) -> Iterator[Block]:
    """Every fenced block of a page in its order."""
    name, opened, lines = str(page.relative_to(ROOT)), None, list[str]()
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if not line.startswith("```"):
            lines.append(line)
        elif opened is None:
            opened, lines = (number, line.removeprefix("```").strip()), []
        else:
            yield Block(name, *opened, "".join(f"{one}\n" for one in lines))
            opened = None
    assert opened is None, f"{name}: a block without an end"


def prose_of(page: Path) -> str:
    """A page without its blocks."""
    text = page.read_text(encoding="utf-8")
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def commands_of(block: Block) -> Iterator[Command]:
    """The commands of a block, lines that end with a backslash joined and comments left out."""
    text, shown = "", list[str]()
    for line in re.sub(r"\\\n\s*", "", block.text).splitlines():
        if block.language == "console" and not line.startswith("$ "):
            shown.append(line)
            continue
        if text:
            yield Command(block, text, shown)
        text, shown = re.sub(r"(^|\s+)#.*", "", line.removeprefix("$ ")), []
    if text:
        yield Command(block, text, shown)


def command_blocks() -> Iterator[list[Command]]:
    """The commands of every block that has some, page by page."""
    for page in PAGES:
        for block in blocks_of(page):
            if block.language in COMMAND_LANGUAGES:
                yield list(commands_of(block))


def commands() -> Iterator[Command]:
    """Every command of every page."""
    for block in command_blocks():
        yield from block
